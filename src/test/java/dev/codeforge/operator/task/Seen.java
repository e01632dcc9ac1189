package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.jetstream.CasBucket;
import dev.codeforge.jetstream.TaskQueue.StandingMessage;
import dev.codeforge.jetstream.WorkerControl.Holder;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.admission.Candidate;
import dev.codeforge.operator.task.admission.SpecHash;
import dev.codeforge.operator.task.loss.WorkerLoss;
import dev.codeforge.operator.task.status.StopReason;
import dev.codeforge.operator.task.status.TaskStatusBuilder;
import dev.codeforge.operator.time.Clocks;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.TaskEvent;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;

/** A task as a reconcile sees it, in one line: {@code Seen.task("cancel: true").queued(1).plan()}. */
public final class Seen {
    static final String STREAM = "tasks_ns_pool";
    static final String SUBJECT = "tasks.test.ns.pool";
    /** Resources are created three hours before. */
    public static final Instant NOW = Instant.parse("2026-11-24T12:00:00Z");

    public final AgentTask task;
    private final WorkerPool pool = withQueue(Resources.pool("ns", "pool", null));
    private Optional<StandingMessage> standing = Optional.empty();
    private Optional<TaskEvent> event = Optional.empty();
    private Optional<WorkerLoss> loss = Optional.empty();
    private List<AgentTask> rivals = List.of();
    private boolean behind;
    private Candidate.Answers answers;
    private Optional<Optional<Holder>> holder = Optional.empty();
    private Instant now = NOW;

    private Seen(AgentTask task) {
        this.task = task;
        this.answers = Candidate.of(task, Optional.of(pool), rivals, behind).answers();
    }

    /** @param fields of the spec besides pool and prompt, as YAML */
    public static Seen task(String fields) {
        return new Seen(Resources.task("ns", "task", "pool", fields));
    }

    public Seen status(String yaml) {
        task.setStatus(Resources.of(AgentTaskStatus.class, yaml));
        return this;
    }

    public Seen status(AgentTaskStatus status) {
        task.setStatus(status);
        return this;
    }

    /** Its message stands, and the status says so. */
    public Seen queued(int attempt) {
        return status("{observedGeneration: 1, phase: Queued, attempts: " + attempt + ", queue: {stream: " + STREAM
                        + ", sequence: 7}, queuedTime: '2026-11-24T09:00:00Z'" + history(attempt - 1) + "}")
                .standing(attempt);
    }

    /** A worker runs it, and the status says so. */
    public Seen running(int attempt) {
        return status("{observedGeneration: 1, phase: Running, attempts: " + attempt + ", queue: {stream: " + STREAM
                        + ", sequence: 7}, podName: worker-0, deliveries: 1, startTime: '2026-11-24T11:59:00Z'"
                        + history(attempt - 1) + "}")
                .standing(attempt);
    }

    /** @param more fields of the status */
    public Seen between(String phase, int ended, String more) {
        return status("{observedGeneration: 1, phase: " + phase + ", attempts: " + ended + ", queue: {stream: " + STREAM
                + ", sequence: 7}" + history(ended) + (more.isEmpty() ? "" : ", " + more) + "}");
    }

    private static String history(int ended) {
        return ended == 0 ? "" : ", history: [{attempt: " + ended + ", outcome: Failed}]";
    }

    public Seen standing(int attempt) {
        standing = Optional.of(new StandingMessage(7, "installation", "ns", "task", attempt));
        return this;
    }

    Seen lost() {
        standing = Optional.empty();
        return this;
    }

    Seen event(TaskEvent last) {
        event = Optional.of(last);
        return this;
    }

    Seen lostItsWorker(WorkerLoss why) {
        loss = Optional.of(why);
        return this;
    }

    Seen heldBy(String worker) {
        holder = Optional.of(Optional.of(new Holder(worker, 1, 1)));
        return this;
    }

    Seen heldByNobody() {
        holder = Optional.of(Optional.empty());
        return this;
    }

    public Seen ledger(LedgerRecord record, long revision) {
        return answered(candidate()
                .withLedger(Optional.ofNullable(record).map(found -> new CasBucket.Entry<>(found, revision, NOW))));
    }

    Seen session(SessionRecord record, long revision) {
        return answered(candidate()
                .withSession(Optional.ofNullable(record).map(found -> new CasBucket.Entry<>(found, revision, NOW))));
    }

    Seen owner(Candidate.OwnerState state) {
        return answered(candidate().withOwner(state));
    }

    /** The record that the task writes under its key. */
    LedgerRecord claim() {
        return new LedgerRecord(
                task.uid(), "ns", "pool", task.getMetadata().getName(), SpecHash.of(task.getSpec()), null);
    }

    private Seen answered(Candidate candidate) {
        answers = candidate.answers();
        return this;
    }

    Seen rivals(AgentTask... others) {
        rivals = List.of(others);
        return this;
    }

    /** An older task waits for room in the pool's queue. */
    Seen behind() {
        behind = true;
        return this;
    }

    Seen after(Duration passed) {
        now = NOW.plus(passed);
        return this;
    }

    WorkerPool pool() {
        return pool;
    }

    private Candidate candidate() {
        return new Candidate(task, Optional.of(pool), rivals, behind, answers);
    }

    TaskSnapshot snapshot() {
        return new TaskSnapshot(candidate(), false, standing, event.isPresent() ? 9 : 0, event, loss, holder);
    }

    TaskPlan plan() {
        return new TaskPlanner(clocks()).plan(snapshot());
    }

    /** What the status says after the plan, which must be one that only says. */
    public AgentTaskStatus said() {
        return new TaskStatusBuilder(clocks()).build(task, Optional.of(pool), ((TaskPlan.UpdateStatus) plan()).view());
    }

    Clock clock() {
        return Clock.fixed(now, ZoneOffset.UTC);
    }

    Clocks clocks() {
        return new Clocks(clock(), clock(), clock());
    }

    TaskPlan.End end(int attempt, StopReason stop) {
        return new TaskPlan.End(STREAM, SUBJECT + "." + task.uid(), attempt, stop);
    }

    TaskPlan publish(int attempt) {
        return new TaskPlan.Publish(pool, attempt, false, false);
    }

    static WorkerPool withQueue(WorkerPool pool) {
        pool.setStatus(new WorkerPoolStatus(
                1L,
                new Conditions(List.of(), 1, Instant.EPOCH)
                        .set("QueueReady", true, Reason.QueueReady, "")
                        .list(),
                0,
                0,
                "",
                new WorkerPoolStatus.Queue(STREAM, SUBJECT, 0L, 0L),
                0,
                null));
        return pool;
    }
}
