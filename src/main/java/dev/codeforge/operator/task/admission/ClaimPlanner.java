package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.status.EffectiveSettings;
import dev.codeforge.operator.task.status.StatusTransition;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;

/** Plans the claim of a task's idempotency key before the first publish. A rerun ignores the key. */
final class ClaimPlanner {

    /** Admitted if the task has no key, or owns its key. */
    Admission before(Candidate candidate) {
        final AgentTask task = candidate.task();
        if (!asks(candidate)) {
            return new Admission.Admitted();
        }
        if (candidate.answers().ledger().isEmpty()) {
            return new Admission.ReadLedger();
        }
        final Optional<CasBucket.Entry<LedgerRecord>> entry =
                candidate.answers().ledger().get();
        return entry.isEmpty()
                ? new Admission.Claim(claim(task), 0)
                : standing(candidate, entry.get().record(), entry.get().revision());
    }

    /** For a task that may not run any more: held with the recorded end, which it adopts; admitted if there is none. */
    Admission insteadOfARun(Candidate candidate) {
        if (!asks(candidate)) {
            return new Admission.Admitted();
        }
        if (candidate.answers().ledger().isEmpty()) {
            return new Admission.ReadLedger();
        }
        return candidate
                .answers()
                .ledger()
                .get()
                .map(CasBucket.Entry::record)
                .filter(record -> record.outcome() != null && isSameWork(candidate.task(), record))
                .<Admission>map(
                        record -> new Admission.Held(new StatusTransition.Adopted(record.outcome(), record.name())))
                .orElseGet(Admission.Admitted::new);
    }

    /** False for a rerun: the status keeps the usage at the last rerun, also while the task waits for its pool. */
    private static boolean asks(Candidate candidate) {
        final AgentTask task = candidate.task();
        final AgentTaskStatus status = candidate.task().statusOrUnobserved();
        return task.getSpec().idempotencyKey() != null
                && status.attempts() == 0
                && status.usageAtRerun() == null
                && !task.isRerunRequested();
    }

    private static boolean isSameWork(AgentTask task, LedgerRecord record) {
        return record.specHash().equals(SpecHash.of(task.getSpec()));
    }

    private static Admission standing(Candidate candidate, LedgerRecord record, long revision) {
        final AgentTask task = candidate.task();
        final Optional<TaskEvent> outcome = Optional.ofNullable(record.outcome());
        final boolean sameWork = isSameWork(task, record);
        if (outcome.isPresent()) {
            return sameWork && isRepeated(task, record, outcome.get())
                    ? new Admission.Claim(claim(task), revision)
                    : new Admission.Held(
                            sameWork
                                    ? new StatusTransition.Adopted(outcome.get(), record.name())
                                    : reused(task, record));
        }
        if (record.uid().equals(task.uid())) {
            return new Admission.Admitted();
        }
        if (candidate.answers().owner().isEmpty()) {
            return new Admission.FindOwner(record);
        }
        if (candidate.answers().owner().get() == Candidate.OwnerState.GONE) {
            return new Admission.TakeOver(
                    record,
                    claim(task),
                    revision,
                    candidate.stream(),
                    candidate.subject(),
                    EffectiveSettings.of(task, candidate.pool()).retry());
        }
        return new Admission.Held(
                sameWork
                        ? new StatusTransition.Waiting(
                                Reason.DuplicateOf,
                                "AgentTask " + record.name() + " has the same idempotencyKey and has not ended. "
                                        + Reason.DuplicateOf.remedy())
                        : reused(task, record));
    }

    /** A task's own recorded end never makes it run again. */
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
