package dev.codeforge.operator.pool.access;

import dev.codeforge.operator.status.Reason;

/**
 * Why the workers of a pool get no access to NATS.
 *
 * @param why a sentence without its stop
 */
public record AccessRefusal(Reason reason, String why) {
    /** With what to do. */
    public String message() {
        return why + ". " + reason.remedy();
    }
}
