package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.wire.SessionKey;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Passes a session's turn from task to task, and updates its conversation after each success. */
final class TaskSessions {
    private static final Logger LOG = LoggerFactory.getLogger(TaskSessions.class);

    private final Connections connections;
    private final OwnerTakeover former;

    TaskSessions(Connections connections, OwnerTakeover former) {
        this.connections = connections;
        this.former = former;
    }

    Optional<CasBucket.Entry<SessionRecord>> read(AgentTask task) {
        return connections.sessions().read(keyOf(task));
    }

    Candidate.OwnerState holder(AgentTask task, SessionRecord.Turn turn) {
        return former.state(task.getMetadata().getNamespace(), turn.name(), turn.uid());
    }

    /** The first writer has the turn. */
    void take(AgentTask task, Admission.TakeTurn plan) {
        final SessionRecord wanted = plan.former()
                .map(gone -> former.end(
                        // A session belongs to one pool: the former owner's pool is this task's.
                        new TaskRef(
                                task.getMetadata().getNamespace(),
                                task.getSpec().workerPoolRef().name(),
                                gone.uid()),
                        plan.stream(),
                        plan.subject(),
                        "another task of its session goes on"))
                .map(last -> new SessionRecord(
                        plan.record().session(),
                        plan.record().turn(),
                        plan.record()
                                .ended(last.filter(event -> event.kind() == TaskEvent.Kind.COMPLETED)
                                        .flatMap(TaskSessions::left))
                                .history()))
                .orElse(plan.record());
        connections.sessions().write(keyOf(task), wanted, plan.revision());
    }

    /**
     * Call this before the status reports the end. Only the owner of the turn changes the record, so a repeated call
     * changes nothing.
     */
    void settle(AgentTask task, StatusTransition view) {
        if (!SessionOrder.hasSession(task)) {
            return;
        }
        if (view instanceof StatusTransition.Ended ended) {
            end(task, left(ended.event()));
        } else if (view instanceof StatusTransition.Closed || view instanceof StatusTransition.Adopted) {
            end(task, Optional.empty());
        }
    }

    private void end(AgentTask task, Optional<SessionRecord.History> left) {
        boolean ended = false;
        while (!ended) {
            final Optional<CasBucket.Entry<SessionRecord>> mine =
                    read(task).filter(entry -> entry.record().isTurnOf(task.uid()));
            ended = mine.isEmpty()
                    || connections
                            .sessions()
                            .write(
                                    keyOf(task),
                                    mine.get().record().ended(left),
                                    mine.get().revision())
                            .isPresent();
            if (ended && left.isPresent()) {
                mine.map(CasBucket.Entry::record)
                        .map(SessionRecord::history)
                        .filter(before -> !before.equals(left.get()))
                        .ifPresent(before -> forget(task, before));
            }
        }
    }

    /**
     * No task continues from this conversation any more. A failed removal uses space for 30 days and must not delay an
     * end.
     */
    private void forget(AgentTask task, SessionRecord.History before) {
        final SessionKey session = SessionOrder.keyOf(task);
        try {
            connections
                    .files()
                    .forget(session.namespace(), session.pool(), before.object().object());
        } catch (QueueUnavailableException e) {
            LOG.debug("{} is not removed: {}", before.object().object(), e.getMessage());
        }
    }

    /** Only a success updates the conversation: the next task continues from the last success. */
    private static Optional<SessionRecord.History> left(TaskEvent event) {
        return event.kind() == TaskEvent.Kind.COMPLETED && event.result() != null
                ? Optional.ofNullable(event.result().session())
                        .map(object -> new SessionRecord.History(event.taskId(), event.attempt(), object))
                : Optional.empty();
    }

    private static String keyOf(AgentTask task) {
        return SessionOrder.keyOf(task).entry();
    }
}
