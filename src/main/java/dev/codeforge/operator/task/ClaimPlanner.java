package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/** What an idempotency key asks for before a task's first publish. A rerun passes it by. */
final class ClaimPlanner {

    /** Empty: the task has no key, or has it for itself, and may be published. */
    Optional<TaskPlan> before(TaskSnapshot snapshot) {
        final AgentTask task = snapshot.task();
        if (task.getSpec().idempotencyKey() == null || snapshot.status().attempts() > 0 || task.isRerunRequested()) {
            return Optional.empty();
        }
        if (snapshot.answers().ledger().isEmpty()) {
            return Optional.of(new TaskPlan.ReadLedger());
        }
        final Optional<CasBucket.Entry<LedgerRecord>> entry =
                snapshot.answers().ledger().get();
        return entry.isEmpty()
                ? Optional.of(new TaskPlan.Claim(claim(task), 0))
                : standing(snapshot, entry.get().record(), entry.get().revision());
    }

    private static Optional<TaskPlan> standing(TaskSnapshot snapshot, LedgerRecord record, long revision) {
        final AgentTask task = snapshot.task();
        final Optional<TaskEvent> outcome = Optional.ofNullable(record.outcome());
        final boolean sameWork = record.specHash().equals(SpecHash.of(task.getSpec()));
        if (outcome.isPresent()) {
            return Optional.of(new TaskPlan.UpdateStatus(
                    sameWork ? new StatusTransition.Adopted(outcome.get(), record.name()) : reused(task, record)));
        }
        if (record.uid().equals(task.uid())) {
            return Optional.empty();
        }
        if (snapshot.answers().owner().isEmpty()) {
            return Optional.of(new TaskPlan.FindOwner(record));
        }
        if (snapshot.answers().owner().get() == TaskSnapshot.OwnerState.GONE) {
            return Optional.of(new TaskPlan.TakeOver(
                    record, claim(task), revision, TaskPlanner.streamOf(snapshot), TaskPlanner.subjectOf(snapshot)));
        }
        return Optional.of(new TaskPlan.UpdateStatus(
                sameWork
                        ? new StatusTransition.Waiting(
                                Reason.DuplicateOf,
                                "AgentTask " + record.name() + " has the same idempotencyKey and has not ended. "
                                        + Reason.DuplicateOf.remedy())
                        : reused(task, record)));
    }

    private static StatusTransition reused(AgentTask task, LedgerRecord record) {
        return new StatusTransition.Closed(
                false,
                new TaskEvent.Failure(
                        Reason.IdempotencyKeyReused.name(),
                        "idempotencyKey " + task.getSpec().idempotencyKey() + " stands for the work of AgentTask "
                                + record.name()
                                + ", which has another pool, prompt, model, config, workspace or session. "
                                + Reason.IdempotencyKeyReused.remedy(),
                        false));
    }

    static LedgerRecord claim(AgentTask task) {
        return new LedgerRecord(
                task.uid(),
                task.getMetadata().getNamespace(),
                task.getSpec().workerPoolRef().name(),
                task.getMetadata().getName(),
                SpecHash.of(task.getSpec()),
                null);
    }
}
