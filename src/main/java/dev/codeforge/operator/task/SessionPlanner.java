package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.SessionRecord;
import java.util.Optional;

/**
 * Plans the session's turn before each publish. One task has the turn from its first publish to its end. The cache says
 * which task is next; the compare-and-set write of the session's record ensures that only one takes the turn.
 */
final class SessionPlanner {

    /** Empty when the task may be published: it has no session, or it has the turn. */
    Optional<TaskPlan> before(TaskSnapshot snapshot) {
        final AgentTask task = snapshot.task();
        if (!SessionOrder.hasSession(task)) {
            return Optional.empty();
        }
        if (snapshot.answers().session().isEmpty()) {
            return Optional.of(new TaskPlan.ReadSession());
        }
        final Optional<CasBucket.Entry<SessionRecord>> entry =
                snapshot.answers().session().get();
        final Optional<SessionRecord.Turn> turn =
                entry.map(CasBucket.Entry::record).flatMap(record -> Optional.ofNullable(record.turn()));
        if (turn.filter(holder -> holder.uid().equals(task.uid())).isPresent()) {
            return Optional.empty();
        }
        final Optional<AgentTask> before = SessionOrder.before(task, snapshot.rivals());
        if (turn.isPresent()) {
            final Optional<TaskSnapshot.OwnerState> holder = holder(snapshot, turn.get());
            if (holder.isEmpty()) {
                return Optional.of(new TaskPlan.FindTurn(turn.get()));
            }
            if (holder.get() == TaskSnapshot.OwnerState.UNFINISHED) {
                return Optional.of(busy(
                        task,
                        before.map(SessionPlanner::nameOf).orElse(turn.get().name())));
            }
        }
        return Optional.of(before.map(other -> busy(task, nameOf(other)))
                .orElseGet(() -> new TaskPlan.TakeTurn(
                        turn,
                        entry.map(CasBucket.Entry::record)
                                .orElseGet(
                                        () -> SessionRecord.fresh(task.getSpec().sessionName()))
                                .withTurn(new SessionRecord.Turn(task.uid(), nameOf(task))),
                        entry.map(CasBucket.Entry::revision).orElse(0L),
                        TaskPlanner.streamOf(snapshot),
                        TaskPlanner.subjectOf(snapshot))));
    }

    /** The state of the turn's owner; empty when only a live read can tell. */
    private static Optional<TaskSnapshot.OwnerState> holder(TaskSnapshot snapshot, SessionRecord.Turn turn) {
        return snapshot.rivals().stream().anyMatch(other -> other.uid().equals(turn.uid()))
                ? Optional.of(TaskSnapshot.OwnerState.UNFINISHED)
                : snapshot.answers().owner();
    }

    private static TaskPlan busy(AgentTask task, String before) {
        return new TaskPlan.UpdateStatus(new StatusTransition.Waiting(
                Reason.SessionBusy,
                "AgentTask " + before + " goes before this one in session "
                        + task.getSpec().sessionName() + " and has not ended. " + Reason.SessionBusy.remedy()));
    }

    private static String nameOf(AgentTask task) {
        return task.getMetadata().getName();
    }
}
