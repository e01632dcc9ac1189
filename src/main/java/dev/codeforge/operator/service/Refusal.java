package dev.codeforge.operator.service;

import dev.codeforge.operator.status.Reason;

/**
 * Why a request has no task, or a task has no outcome, and what to do.
 *
 * @param code as in HTTP
 * @param type a constant
 * @param retryable whether the same request may succeed later
 */
record Refusal(int code, String type, String message, boolean retryable) {
    private static final int BAD_REQUEST = 400;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;
    private static final int GONE = 410;
    private static final int TOO_MANY = 429;
    private static final int UNAVAILABLE = 503;
    private static final int TIMEOUT = 504;

    static Refusal invalid(String sentence) {
        return new Refusal(BAD_REQUEST, "InvalidRequest", sentence, false);
    }

    static Refusal notOptedIn(String namespace, String pool) {
        return new Refusal(
                FORBIDDEN,
                "TaskRequestsNotAllowed",
                "WorkerPool " + pool + " of namespace " + namespace
                        + " takes no requests: its owner sets spec.taskRequests.allowedFrom to NATS to allow them.",
                false);
    }

    static Refusal noPool(String namespace, String pool) {
        return new Refusal(
                NOT_FOUND,
                Reason.PoolNotFound.name(),
                "Namespace " + namespace + " has no WorkerPool " + pool
                        + ", or this operator does not serve the namespace: correct the subject,"
                        + " agents.<run or submit>.<namespace>.<pool>.",
                false);
    }

    static Refusal otherWork(String key, String name) {
        return new Refusal(
                CONFLICT,
                Reason.IdempotencyKeyReused.name(),
                "Nats-Msg-Id " + key + " stands for AgentTask " + name
                        + ", which has another prompt, model, config, workspace or session: give each request for other work"
                        + " an id of its own.",
                false);
    }

    static Refusal reused(String sentence) {
        return new Refusal(CONFLICT, Reason.IdempotencyKeyReused.name(), sentence, false);
    }

    static Refusal deleted(String name) {
        return new Refusal(
                GONE,
                "TaskDeleted",
                "AgentTask " + name + " was deleted before its outcome was known here: ask again with the same"
                        + " Nats-Msg-Id, which returns its outcome if it had ended, and otherwise runs it again.",
                true);
    }

    static Refusal full(String sentence) {
        return new Refusal(TOO_MANY, Reason.QueueFull.name(), sentence, true);
    }

    static Refusal crowded(int waiting) {
        return new Refusal(
                TOO_MANY,
                "TooManyWaiting",
                waiting + " requests wait for their outcome already: ask later, or ask agents.submit, which waits for"
                        + " nothing.",
                true);
    }

    static Refusal unavailable(String sentence) {
        return new Refusal(UNAVAILABLE, "Unavailable", sentence, true);
    }

    static Refusal poolAway(Reason reason, String sentence) {
        return new Refusal(UNAVAILABLE, reason.name(), sentence, true);
    }

    static Refusal stillRunning(String name, long hours) {
        return new Refusal(
                TIMEOUT,
                "StillUnfinished",
                "AgentTask " + name + " has not ended within " + hours
                        + " hours; it goes on. Ask again with the same Nats-Msg-Id to wait for it.",
                true);
    }
}
