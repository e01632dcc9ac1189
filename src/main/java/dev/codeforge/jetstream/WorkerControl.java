package dev.codeforge.jetstream;

import dev.codeforge.wire.TaskRef;
import dev.codeforge.wire.WorkerRef;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Questions and orders to workers over core NATS: to whoever runs a task, or to one worker by its pod. */
public interface WorkerControl {

    /** Who runs the task? Empty when nobody answers in time. */
    Optional<Holder> holder(TaskRef task, Duration timeout);

    /**
     * Asks the holder to stop the agent; true when it took the request. Its terminal event follows.
     *
     * @param type becomes the event's failure type: Cancelled, Suspended and TaskDeleted cancel, any other fails
     * @param reason becomes the failure's message
     */
    boolean cancel(TaskRef task, int attempt, String type, String reason, Duration timeout);

    /** Who runs a task. */
    record Holder(String worker, int attempt, int delivery) {}

    /**
     * How is the worker? Changes nothing. This answer and those below are empty when the worker is silent for the whole timeout,
     * or does not understand: it is then not drained.
     */
    Optional<Answer> look(WorkerRef worker, Duration timeout);

    /**
     * Asks it to take no further task, if it has none. It takes tasks again by itself when the lease is over.
     *
     * @param lease 1 to 600 seconds, counted from its answer
     */
    Optional<Answer> drain(WorkerRef worker, Duration lease, Duration timeout);

    /**
     * Asks it to end what it has in hand and to take no further task. The lease is as with {@link #drain}.
     */
    Optional<Answer> finish(WorkerRef worker, Duration lease, Duration timeout);

    /**
     * Limits how long its runs may continue from now on, once it has to stop.
     *
     * @param grace shorter than its template's
     */
    Optional<Answer> leave(WorkerRef worker, Duration grace, Duration timeout);

    /** Asks it to take tasks again. */
    Optional<Answer> resume(WorkerRef worker, Duration timeout);

    /**
     * @param idle it has no task in hand
     * @param draining it takes none; together with idle the only answer on which it may be removed
     * @param idleFor since its last task ended, or since its start; zero when busy
     * @param openWalls what is open to its agents beyond their own run, a sentence each; absent where it does not say
     * @param spent it was for one task, which has ended; absent where it does not say
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

        /** It may go, and takes no task for as long as its pod is there. */
        public boolean isSpent() {
            return mayGo() && spent.orElse(false);
        }
    }
}
