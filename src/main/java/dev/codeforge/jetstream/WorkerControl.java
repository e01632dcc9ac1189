package dev.codeforge.jetstream;

import dev.codeforge.wire.WorkerRef;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Questions to a worker over core NATS. Each answer is empty when the worker is silent for the whole
 * timeout, or does not understand: it is then not drained.
 */
public interface WorkerControl {

    /** How is it? Changes nothing. */
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
