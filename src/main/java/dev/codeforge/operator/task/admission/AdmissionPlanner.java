package dev.codeforge.operator.task.admission;

import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.status.StatusTransition;

/** Decides whether an attempt may be published: by the task's key, its session's turn, and its pool's backlog. Pure. */
public final class AdmissionPlanner {
    private final ClaimPlanner claims = new ClaimPlanner();
    private final SessionPlanner sessions = new SessionPlanner();

    /** For a task that was never published: whether it owns its idempotency key. */
    public Admission byKey(Candidate candidate) {
        return claims.before(candidate);
    }

    /** For a task that may not run any more: held, if the ledger has an end that the task adopts. */
    public Admission byKnownEnd(Candidate candidate) {
        return claims.insteadOfARun(candidate);
    }

    /**
     * Whether the task has its session's turn, and whether it is the oldest that waits for room.
     *
     * @param again a message of the task was in the queue before: it does not go to the end of the backlog
     */
    public Admission byTurnAndRoom(Candidate candidate, boolean again) {
        final Admission turn = sessions.before(candidate);
        if (!(turn instanceof Admission.Admitted)) {
            return turn;
        }
        return candidate.behind() && !again
                ? new Admission.Held(new StatusTransition.Waiting(Reason.QueueFull, Reason.QueueFull.sentence()))
                : turn;
    }
}
