package dev.codeforge.jetstream;

import dev.codeforge.wire.TaskRef;
import dev.codeforge.wire.WorkerRef;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Requests to workers over core NATS: to the holder of a task, or to one worker by its pod. */
public interface WorkerControl {

    /** The worker that holds the task; empty when none answers in time. */
    Optional<Holder> holder(TaskRef task, Duration timeout);

    /**
     * Asks the holder to stop the agent; true when the holder accepted. Its terminal event follows.
     *
     * @param type becomes the event's failure type: Cancelled, Suspended and TaskDeleted cancel, any other fails
     * @param reason becomes the failure's message
     */
    boolean cancel(TaskRef task, int attempt, String type, String reason);

    /** The worker that holds a task. */
    record Holder(String worker, int attempt, int delivery) {}

    /**
     * The worker's state; changes nothing. This answer and those below are empty when the worker is silent until the
     * timeout or does not understand the request: it is then not drained.
     */
    Optional<Answer> look(WorkerRef worker, Duration timeout);

    /**
     * Asks an idle worker to take no further task. When the lease expires, the worker takes tasks again by itself.
     *
     * @param lease 1 to 600 seconds, counted from its answer
     */
    Optional<Answer> drain(WorkerRef worker, Duration lease, Duration timeout);

    /** Asks the worker to finish its tasks and to take no further one. The lease is as with {@link #drain}. */
    Optional<Answer> finish(WorkerRef worker, Duration lease, Duration timeout);

    /**
     * Limits how long the worker's runs may continue after SIGTERM.
     *
     * @param grace shorter than its template's
     */
    Optional<Answer> leave(WorkerRef worker, Duration grace, Duration timeout);

    /** Asks the worker to take tasks again. */
    Optional<Answer> resume(WorkerRef worker, Duration timeout);

    /**
     * @param idle the worker holds no task
     * @param draining it takes no task; a worker may be removed only if it is idle and draining
     * @param idleFor since its last task ended, or since its start; zero when busy
     * @param openWalls what its agents can reach beyond their own run, a sentence each; absent if the worker does not
     *     say
     * @param spent it was for one task, which has ended; absent if the worker does not say
     */
    record Answer(
            boolean idle,
            boolean draining,
            Duration idleFor,
            Optional<List<String>> openWalls,
            Optional<Boolean> spent) {
        public boolean mayGo() {
            return idle && draining;
        }

        /** True if the worker can be removed: it takes no task for as long as its pod exists. */
        public boolean isSpent() {
            return mayGo() && spent.orElse(false);
        }
    }
}
