package dev.codeforge.operator.pool.workers;

/** {@code spec.template} cannot become a pod; the message says where. */
public final class InvalidTemplateException extends Exception {
    private static final long serialVersionUID = 1L;

    public InvalidTemplateException(String message) {
        super(message);
    }
}
