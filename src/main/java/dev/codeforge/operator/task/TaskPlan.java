package dev.codeforge.operator.task;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.task.admission.Admission;
import dev.codeforge.operator.task.loss.WorkerLoss;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.operator.task.status.StopReason;

/** The next step for a task. */
sealed interface TaskPlan {
    /** Only write the status. */
    record UpdateStatus(StatusTransition view) implements TaskPlan {}

    /** An input is missing; plan again with the answer. No question writes. */
    sealed interface Question extends TaskPlan {}

    /** Ask which worker runs it. */
    record AskHolder() implements Question {}

    /** Ask what its admission depends on. */
    record AskAdmission(Admission.Question question) implements Question {}

    /** Write what must belong to the task before an attempt is published; then plan again. */
    record Admit(Admission.Write write) implements TaskPlan {}

    /**
     * Publish an attempt.
     *
     * @param purgeFirst the stream still has the message of an older attempt
     * @param freshId the usual message id was used and its message is gone: the server would reject it as a duplicate
     */
    record Publish(WorkerPool pool, int attempt, boolean purgeFirst, boolean freshId) implements TaskPlan {}

    /**
     * End a waiting attempt: terminal event, purge; then reconcile again. {@code subject} is empty when it is not
     * known.
     */
    record End(String stream, String subject, int attempt, StopReason stop) implements TaskPlan {}

    /**
     * Ask the holder to stop. With {@code overdue} the holder has been silent for too long, and the attempt is ended
     * without it.
     */
    record AskToStop(End end, boolean overdue) implements TaskPlan {}

    /** The worker is lost through no fault of the task: release the run in its place; then plan again. */
    record GiveBack(int attempt, WorkerLoss loss) implements TaskPlan {}

    /** The resource is deleted: end what is unfinished. With {@code running}, ask the holder to stop first. */
    record EndDeleted(String stream, String subject, int attempt, boolean running) implements TaskPlan {}

    /** The task's time to live is over. */
    record Delete() implements TaskPlan {}

    /** NATS is ahead of the cache: reconcile again. */
    record Requeue() implements TaskPlan {}
}
