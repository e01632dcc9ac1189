package dev.codeforge.jetstream;

import java.time.Duration;
import java.util.Optional;

/**
 * Questions to a worker, by its pod's name, over core NATS. Each answer is empty when the worker is silent for the whole
 * timeout, or does not understand: it is then not drained.
 */
public interface WorkerControl {

    /** How is it? Changes nothing. */
    Optional<Answer> look(String pod, Duration timeout);

    /**
     * Asks it to take no further task, if it has none. It takes tasks again by itself when the lease is over.
     *
     * @param lease 1 to 600 seconds, counted from its answer
     */
    Optional<Answer> drain(String pod, Duration lease, Duration timeout);

    /**
     * Asks it to end what it has in hand and to take no further task. The lease is as with {@link #drain}.
     */
    Optional<Answer> finish(String pod, Duration lease, Duration timeout);

    /** Asks it to take tasks again. */
    Optional<Answer> resume(String pod, Duration timeout);

    /**
     * @param idle it has no task in hand
     * @param draining it takes none; together with idle the only answer on which it may be removed
     * @param idleFor since its last task ended, or since its start; zero when busy
     */
    record Answer(boolean idle, boolean draining, Duration idleFor) {
        public boolean mayGo() {
            return idle && draining;
        }
    }
}
