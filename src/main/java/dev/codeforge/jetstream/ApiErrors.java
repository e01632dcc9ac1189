package dev.codeforge.jetstream;

/** JetStream's error codes that decide something here. */
final class ApiErrors {
    static final int CONSUMER_NOT_FOUND = 10014;
    static final int MESSAGE_NOT_FOUND = 10037;
    static final int INSUFFICIENT_STORAGE = 10047;
    static final int STREAM_NOT_FOUND = 10059;
    static final int OTHER_STREAM_EXPECTED = 10060;
    static final int SUBJECTS_OVERLAP = 10065;
    static final int WRONG_LAST_SEQUENCE = 10071;
    static final int STREAM_FULL = 10077;

    private ApiErrors() {}
}
