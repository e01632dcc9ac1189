package dev.codeforge.api;

/** Names that resources, labels and field managers share. */
public final class Names {
    public static final String GROUP = "codeforge.dev";
    public static final String VERSION = "v1alpha1";
    public static final String POOL_LABEL = "codeforge.dev/pool";
    public static final String BACKEND_LABEL = "codeforge.dev/backend";
    /** On a Deployment: the operator that manages it. */
    public static final String OPERATOR_ANNOTATION = "codeforge.dev/operator";

    /** On an AgentTask: the W3C trace context of the creator, to which its trace links. */
    public static final String TRACEPARENT_ANNOTATION = "codeforge.dev/traceparent";

    private Names() {}
}
