package dev.codeforge.operator.task;

import dev.codeforge.api.WorkerPool;

/** What to do with a task now. */
sealed interface TaskPlan {
    /** Nothing but to say what is. */
    record Say(TaskView view) implements TaskPlan {}

    /** Ask who runs it, then plan again. */
    record AskHolder() implements TaskPlan {}

    /**
     * Publish an attempt.
     *
     * @param purgeFirst an older attempt's message stands
     * @param freshId the usual message id was used before and its message is gone: the server would call it a duplicate
     */
    record Publish(WorkerPool pool, int attempt, boolean purgeFirst, boolean freshId) implements TaskPlan {}

    /** The resource is gone: end what is unfinished. {@code running}: ask the holder to stop before. */
    record Withdraw(String stream, String subject, int attempt, boolean running) implements TaskPlan {}

    /** What NATS shows is newer than what the cache shows: look again. */
    record LookAgain() implements TaskPlan {}
}
