package dev.codeforge.wire;

/** Header names of task messages, events, dead letters, requests and answers. */
public final class Headers {
    public static final String PROTOCOL = "Codeforge-Protocol";
    public static final String PROTOCOL_VERSION = "1";
    public static final String INSTALLATION = "Codeforge-Installation";
    public static final String NAMESPACE = "Codeforge-Namespace";
    public static final String NAME = "Codeforge-Name";
    public static final String PROOF = "Codeforge-Proof";
    public static final String MESSAGE_ID = "Nats-Msg-Id";
    /** W3C trace context. */
    public static final String TRACEPARENT = "traceparent";

    public static final String REASON = "Codeforge-Reason";
    public static final String DETAIL = "Codeforge-Detail";
    public static final String TASK_ID = "Codeforge-Task-Id";
    public static final String TRUNCATED = "Codeforge-Truncated";
    public static final String ORIGIN_SUBJECT = "Codeforge-Origin-Subject";
    public static final String ORIGIN_STREAM = "Codeforge-Origin-Stream";
    public static final String ORIGIN_SEQUENCE = "Codeforge-Origin-Sequence";
    /** On a request: send progress. On an answer: this is progress, of the named kind. */
    public static final String PROGRESS = "Codeforge-Progress";
    /** Of the NATS services protocol: why a request was refused, and the code. */
    public static final String SERVICE_ERROR = "Nats-Service-Error";

    public static final String SERVICE_ERROR_CODE = "Nats-Service-Error-Code";

    private Headers() {}
}
