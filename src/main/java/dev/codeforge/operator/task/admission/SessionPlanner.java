package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.wire.SessionRecord;
import java.util.Optional;

/**
 * Plans the session's turn before each publish. One task has the turn from its first publish to its end. The cache says
 * which task is next; the compare-and-set write of the session's record ensures that only one takes the turn.
 */
final class SessionPlanner {

    /** Admitted if the task has no session, or has the turn. */
    Admission before(Candidate candidate) {
        final AgentTask task = candidate.task();
        if (!SessionOrder.hasSession(task)) {
            return new Admission.Admitted();
        }
        if (candidate.answers().session().isEmpty()) {
            return new Admission.ReadSession();
        }
        final Optional<CasBucket.Entry<SessionRecord>> entry =
                candidate.answers().session().get();
        final Optional<SessionRecord.Turn> turn =
                entry.map(CasBucket.Entry::record).flatMap(record -> Optional.ofNullable(record.turn()));
        if (turn.filter(holder -> holder.uid().equals(task.uid())).isPresent()) {
            return new Admission.Admitted();
        }
        final Optional<AgentTask> before = SessionOrder.before(task, candidate.rivals());
        if (turn.isPresent()) {
            final Optional<Candidate.OwnerState> holder = holder(candidate, turn.get());
            if (holder.isEmpty()) {
                return new Admission.FindTurn(turn.get());
            }
            if (holder.get() == Candidate.OwnerState.UNFINISHED) {
                return busy(
                        task,
                        before.map(SessionPlanner::nameOf).orElse(turn.get().name()));
            }
        }
        return before.map(other -> busy(task, nameOf(other)))
                .orElseGet(() -> new Admission.TakeTurn(
                        turn,
                        entry.map(CasBucket.Entry::record)
                                .orElseGet(
                                        () -> SessionRecord.fresh(task.getSpec().sessionName()))
                                .withTurn(new SessionRecord.Turn(task.uid(), nameOf(task))),
                        entry.map(CasBucket.Entry::revision).orElse(0L),
                        candidate.stream(),
                        candidate.subject()));
    }

    /** The state of the turn's owner; empty when only a live read can decide it. */
    private static Optional<Candidate.OwnerState> holder(Candidate candidate, SessionRecord.Turn turn) {
        return candidate.rivals().stream().anyMatch(other -> other.uid().equals(turn.uid()))
                ? Optional.of(Candidate.OwnerState.UNFINISHED)
                : candidate.answers().owner();
    }

    private static Admission busy(AgentTask task, String before) {
        return new Admission.Held(new StatusTransition.Waiting(
                Reason.SessionBusy,
                "AgentTask " + before + " goes before this one in session "
                        + task.getSpec().sessionName() + " and has not ended. " + Reason.SessionBusy.remedy()));
    }

    private static String nameOf(AgentTask task) {
        return task.getMetadata().getName();
    }
}
