package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Sessions;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/** Gives a session's turn to one task after the other, and moves its conversation on with each that succeeded. */
final class TaskSessions {
    private final Connections connections;
    private final FormerOwner former;

    TaskSessions(Connections connections, FormerOwner former) {
        this.connections = connections;
        this.former = former;
    }

    Optional<Sessions.Entry> read(AgentTask task) {
        return of(task).read(SessionOrder.keyOf(task));
    }

    TaskSnapshot.OwnerState holder(AgentTask task, SessionRecord.Turn turn) {
        return former.state(task.getMetadata().getNamespace(), turn.name(), turn.uid());
    }

    /** @return the record as it stands afterwards, with whoever was fastest */
    Optional<Sessions.Entry> take(AgentTask task, TaskPlan.TakeTurn plan) {
        final SessionRecord wanted = plan.former()
                .map(gone -> former.end(
                        task.getMetadata().getNamespace(),
                        gone.uid(),
                        plan.stream(),
                        plan.subject(),
                        "another task of its session goes on"))
                .map(completed -> new SessionRecord(
                        plan.record().session(),
                        plan.record().turn(),
                        plan.record()
                                .ended(completed.flatMap(TaskSessions::left))
                                .history()))
                .orElse(plan.record());
        of(task).write(SessionOrder.keyOf(task), wanted, plan.revision());
        return read(task);
    }

    /** Before the status tells the end. Only who has the turn moves anything: told again, an end changes nothing. */
    void settle(AgentTask task, TaskView view) {
        if (!SessionOrder.hasSession(task)) {
            return;
        }
        if (view instanceof TaskView.Ended ended) {
            end(task, left(ended.event()));
        } else if (view instanceof TaskView.Closed || view instanceof TaskView.Adopted) {
            end(task, Optional.empty());
        }
    }

    private void end(AgentTask task, Optional<SessionRecord.History> left) {
        boolean ended = false;
        while (!ended) {
            final Optional<Sessions.Entry> mine =
                    read(task).filter(entry -> entry.record().isTurnOf(task.uid()));
            ended = mine.isEmpty()
                    || of(task).write(
                                    SessionOrder.keyOf(task),
                                    mine.get().record().ended(left),
                                    mine.get().revision());
        }
    }

    /** Only a success moves the conversation on: the next task continues from the last one. */
    private static Optional<SessionRecord.History> left(TaskEvent event) {
        return event.kind() == TaskEvent.Kind.COMPLETED && event.result() != null
                ? Optional.ofNullable(event.result().session())
                        .map(object -> new SessionRecord.History(event.taskId(), event.attempt(), object))
                : Optional.empty();
    }

    private Sessions of(AgentTask task) {
        return connections.sessions(task.getMetadata().getNamespace());
    }
}
