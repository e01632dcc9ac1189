package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
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
        if (!asks(snapshot)) {
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

    /** Of a task that may not run any more: the end that it takes over. Empty: there is none. */
    Optional<TaskPlan> insteadOfARun(TaskSnapshot snapshot) {
        if (!asks(snapshot)) {
            return Optional.empty();
        }
        if (snapshot.answers().ledger().isEmpty()) {
            return Optional.of(new TaskPlan.ReadLedger());
        }
        return snapshot.answers()
                .ledger()
                .get()
                .map(CasBucket.Entry::record)
                .filter(record -> record.outcome() != null && isSameWork(snapshot.task(), record))
                .map(record ->
                        new TaskPlan.UpdateStatus(new StatusTransition.Adopted(record.outcome(), record.name())));
    }

    /** The usage at the last rerun tells of it also while the task that was run again waits for its pool. */
    private static boolean asks(TaskSnapshot snapshot) {
        final AgentTask task = snapshot.task();
        final AgentTaskStatus status = snapshot.status();
        return task.getSpec().idempotencyKey() != null
                && status.attempts() == 0
                && status.usageAtRerun() == null
                && !task.isRerunRequested();
    }

    private static boolean isSameWork(AgentTask task, LedgerRecord record) {
        return record.specHash().equals(SpecHash.of(task.getSpec()));
    }

    private static Optional<TaskPlan> standing(TaskSnapshot snapshot, LedgerRecord record, long revision) {
        final AgentTask task = snapshot.task();
        final Optional<TaskEvent> outcome = Optional.ofNullable(record.outcome());
        final boolean sameWork = isSameWork(task, record);
        if (outcome.isPresent()) {
            return Optional.of(
                    sameWork && isRepeated(task, record, outcome.get())
                            ? new TaskPlan.Claim(claim(task), revision)
                            : new TaskPlan.UpdateStatus(
                                    sameWork
                                            ? new StatusTransition.Adopted(outcome.get(), record.name())
                                            : reused(task, record)));
        }
        if (record.uid().equals(task.uid())) {
            return Optional.empty();
        }
        if (snapshot.answers().owner().isEmpty()) {
            return Optional.of(new TaskPlan.FindOwner(record));
        }
        if (snapshot.answers().owner().get() == TaskSnapshot.OwnerState.GONE) {
            return Optional.of(new TaskPlan.TakeOver(
                    record,
                    claim(task),
                    revision,
                    TaskPlanner.streamOf(snapshot),
                    TaskPlanner.subjectOf(snapshot),
                    EffectiveSettings.of(task, snapshot.pool()).retry()));
        }
        return Optional.of(new TaskPlan.UpdateStatus(
                sameWork
                        ? new StatusTransition.Waiting(
                                Reason.DuplicateOf,
                                "AgentTask " + record.name() + " has the same idempotencyKey and has not ended. "
                                        + Reason.DuplicateOf.remedy())
                        : reused(task, record)));
    }

    /** Its own end is never a reason to begin once more. */
    private static boolean isRepeated(AgentTask task, LedgerRecord record, TaskEvent outcome) {
        if (record.uid().equals(task.uid())) {
            return false;
        }
        return switch (task.getSpec().repeatPolicy()) {
            case Never -> false;
            case OnFailure -> outcome.kind() == TaskEvent.Kind.FAILED;
            case UnlessSucceeded -> outcome.kind() != TaskEvent.Kind.COMPLETED;
        };
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
