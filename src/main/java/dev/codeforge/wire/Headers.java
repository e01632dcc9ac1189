package dev.codeforge.wire;

/** Header names of task messages, events and dead letters. */
public final class Headers {
    public static final String PROTOCOL = "Codeforge-Protocol";
    public static final String PROTOCOL_VERSION = "1";
    public static final String INSTALLATION = "Codeforge-Installation";
    public static final String NAMESPACE = "Codeforge-Namespace";
    public static final String NAME = "Codeforge-Name";
    public static final String PROOF = "Codeforge-Proof";
    public static final String MESSAGE_ID = "Nats-Msg-Id";
    public static final String REASON = "Codeforge-Reason";
    public static final String DETAIL = "Codeforge-Detail";
    public static final String TASK_ID = "Codeforge-Task-Id";
    public static final String TRUNCATED = "Codeforge-Truncated";
    public static final String ORIGIN_SUBJECT = "Codeforge-Origin-Subject";
    public static final String ORIGIN_STREAM = "Codeforge-Origin-Stream";
    public static final String ORIGIN_SEQUENCE = "Codeforge-Origin-Sequence";

    private Headers() {}
}
