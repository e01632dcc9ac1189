package dev.codeforge.operator.pool;

/** {@code spec.template} cannot become a pod; the message says where. */
final class InvalidTemplateException extends Exception {
    private static final long serialVersionUID = 1L;

    InvalidTemplateException(String message) {
        super(message);
    }
}
