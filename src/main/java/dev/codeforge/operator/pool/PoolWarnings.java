package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.DeadLetters;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.EventRecorder;
import dev.codeforge.operator.status.Reason;
import java.util.Optional;

/** Events on a pool. */
final class PoolWarnings {
    private final Connections connections;
    private final EventRecorder events;

    PoolWarnings(Connections connections, EventRecorder events) {
        this.connections = connections;
        this.events = events;
    }

    /** Events for new dead letters and new trouble. */
    void tell(WorkerPool pool, WorkerPoolStatus status) {
        final WorkerPoolStatus before = pool.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        if (status.deadLetters() > before.deadLetters()) {
            final String namespace = pool.getMetadata().getNamespace();
            lastLetter(namespace, pool.getMetadata().getName())
                    .ifPresent(note -> events.warning(pool, Reason.DeadLettered.name(), "Bury", note));
        }
        Conditions.becameTrue(Conditions.STATUS_REFUSED, before.conditions(), status.conditions())
                .ifPresent(refused -> events.warning(pool, refused.getReason(), "Reconcile", refused.getMessage()));
        Conditions.find(status.conditions(), "Stalled")
                .filter(condition -> "True".equals(condition.getStatus()))
                .filter(condition -> !Conditions.isTrueBy(before.conditions(), "Stalled", condition.getReason()))
                .ifPresent(
                        condition -> events.warning(pool, condition.getReason(), "Reconcile", condition.getMessage()));
    }

    /** The status is stored: NATS that goes away now must not fail its reconcile. */
    private Optional<String> lastLetter(String namespace, String pool) {
        try {
            return connections.deadLetters().last(namespace, pool).map(PoolWarnings::describe);
        } catch (QueueUnavailableException e) {
            return Optional.of(Reason.DeadLettered.sentence());
        }
    }

    /** For a status that cannot be written: one Event, on the first of several tries. */
    void tellUnwritten(WorkerPool pool, WorkerPoolStatus status, int failures) {
        if (failures == 0) {
            Conditions.find(status.conditions(), "Ready")
                    .ifPresent(ready -> events.warning(pool, ready.getReason(), "Reconcile", ready.getMessage()));
        }
    }

    private static String describe(DeadLetters.DeadLetter letter) {
        return letter.reason() + ": " + letter.detail() + " (subject " + letter.originSubject() + ", dead letter "
                + letter.sequence() + "). " + Reason.DeadLettered.remedy();
    }
}
