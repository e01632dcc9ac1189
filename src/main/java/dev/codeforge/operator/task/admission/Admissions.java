package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.operator.results.DeletedTaskEnd;
import dev.codeforge.operator.results.OperatorEvents;
import dev.codeforge.operator.task.status.StatusTransition;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;

/** Reads and writes what admissions are decided from: the ledger of keys and the records of sessions. */
public final class Admissions {
    private final TaskLedger ledger;
    private final TaskSessions sessions;

    /** @param clock of NATS, as all times of events are */
    public Admissions(
            KubernetesClient client, Connections connections, OperatorEvents events, String installation, Clock clock) {
        final OwnerTakeover former = new OwnerTakeover(client, connections, new DeletedTaskEnd(connections, events));
        this.ledger = new TaskLedger(connections, former, installation, clock);
        this.sessions = new TaskSessions(connections, former);
    }

    public Candidate answer(Candidate candidate, Admission.Question question) {
        final AgentTask task = candidate.task();
        return switch (question) {
            case Admission.ReadLedger ignored -> candidate.withLedger(ledger.read(task));
            case Admission.FindOwner find -> candidate.withOwner(ledger.owner(find.claim()));
            case Admission.ReadSession ignored -> candidate.withSession(sessions.read(task));
            case Admission.FindTurn find -> candidate.withOwner(sessions.holder(task, find.turn()));
        };
    }

    /** The first writer wins. The planner decides on the task again, also if another task was faster. */
    public void write(AgentTask task, Admission.Write write) {
        switch (write) {
            case Admission.Claim claim -> ledger.claim(task, claim);
            case Admission.TakeOver takeOver -> ledger.takeOver(task, takeOver);
            case Admission.TakeTurn take -> sessions.take(task, take);
        }
    }

    /** Call this before the status reports the transition: an end is recorded under the key, and passes the turn on. */
    public void settle(AgentTask task, StatusTransition transition) {
        ledger.settle(task, transition);
        sessions.settle(task, transition);
    }

    /** Keeps the key of an existing task in the ledger. */
    public void renewKey(AgentTask task) {
        ledger.renew(task);
    }
}
