package dev.codeforge.operator.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.testing.Resources;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is done with a request, by what is known. */
final class RequestPlannerTest {
    private static final String OPEN = "{backend: command, taskRequests: {allowedFrom: NATS}}";
    private static final String READY = "{conditions: [{type: QueueReady, status: 'True'}]}";
    private final RequestPlanner planner = new RequestPlanner();

    @Test
    void aPoolThatIsNotOptedInIsRefusedEvenWhatIsThere() {
        final WorkerPool closed = pool("{backend: command}", READY);
        assertThat(code(plan(run(), closed))).isEqualTo(403);
        assertThat(code(planner.plan(run("k"), snapshot(Optional.of(closed)).withTask(Optional.of(task("k", ""))))))
                .isEqualTo(403);
    }

    @Test
    void aPoolThatDoesNotExistIsNotFound() {
        assertThat(code(planner.plan(run(), snapshot(Optional.empty())))).isEqualTo(404);
    }

    @Test
    void anOpenPoolGetsATask() {
        assertThat(plan(run(), pool(OPEN, READY))).isInstanceOf(RequestPlan.Create.class);
        assertThat(plan(submit(), pool(OPEN, READY))).isInstanceOf(RequestPlan.Create.class);
    }

    @Test
    void aRunWaitsForItsTaskAndIsAnsweredWhenItHasEnded() {
        assertThat(standing(run("k"), task("k", ""))).isInstanceOf(RequestPlan.Wait.class);
        assertThat(standing(run("k"), task("k", "{phase: Failed}"))).isInstanceOf(RequestPlan.Answer.class);
    }

    @Test
    void aRerunThatIsAskedForIsWaitedFor() {
        final AgentTask again = task("k", "{phase: Failed}", "rerun: 1");
        assertThat(standing(run("k"), again)).isInstanceOf(RequestPlan.Wait.class);
    }

    @Test
    void aSubmitIsAnsweredWithTheTaskWhateverItsState() {
        assertThat(standing(submit(), task("", ""))).isInstanceOf(RequestPlan.Accept.class);
        assertThat(standing(submit(), task("", "{phase: Failed}"))).isInstanceOf(RequestPlan.Accept.class);
    }

    @Test
    void theSameIdForOtherWorkIsAConflict() {
        assertThat(code(standing(run("k", "something else"), task("k", "")))).isEqualTo(409);
        assertThat(code(standing(run("k"), task("", "")))).isEqualTo(409);
    }

    @Test
    void theSameIdWithOtherTimeLimitsIsTheSameWork() {
        assertThat(standing(run("k"), task("k", "", "runTimeoutSeconds: 60"))).isInstanceOf(RequestPlan.Wait.class);
    }

    @Test
    void aPoolThatTakesNothingNewIsAskedForWhatItHas() {
        final WorkerPool terminating = pool(OPEN, READY);
        terminating.getMetadata().setDeletionTimestamp("2026-11-24T09:00:00Z");
        assertThat(code(plan(run(), terminating))).isEqualTo(503);
        assertThat(plan(run("k"), terminating)).isInstanceOf(RequestPlan.Find.class);
        final RequestSnapshot looked = snapshot(Optional.of(terminating)).withTask(Optional.empty());
        assertThat(code(planner.plan(run("k"), looked))).isEqualTo(503);
        assertThat(planner.plan(run("k"), looked.withTask(Optional.of(task("k", "")))))
                .isInstanceOf(RequestPlan.Wait.class);
    }

    @Test
    void aPoolWithoutAQueueTakesNothingYet() {
        assertThat(code(plan(run(), pool(OPEN, "{}")))).isEqualTo(503);
    }

    @Test
    void aFullPoolTakesNothing() {
        final WorkerPool two =
                pool("{backend: command, taskRequests: {allowedFrom: NATS}, queue: {maxMessages: 2}}", READY);
        final AgentTask task = task("", "");
        assertThat(full(two, List.of(task))).isInstanceOf(RequestPlan.Create.class);
        assertThat(code(full(two, List.of(task, task)))).isEqualTo(429);
        final AgentTask turnedAway =
                task("", "{phase: Pending, conditions: [{type: Ready, status: 'False', reason: QueueFull}]}");
        assertThat(code(full(two, List.of(turnedAway)))).isEqualTo(429);
    }

    @Test
    void whenTooManyWaitOnlySubmitIsTaken() {
        final RequestSnapshot crowded = new RequestSnapshot(
                Optional.of(pool(OPEN, READY)), List.of(), RequestPlanner.MOST_WAITING, Optional.empty());
        assertThat(code(planner.plan(run(), crowded))).isEqualTo(429);
        assertThat(planner.plan(submit(), crowded)).isInstanceOf(RequestPlan.Create.class);
        assertThat(code(planner.plan(run("k"), crowded.withTask(Optional.of(task("k", ""))))))
                .isEqualTo(429);
    }

    private RequestPlan plan(Ask ask, WorkerPool pool) {
        return planner.plan(ask, snapshot(Optional.of(pool)));
    }

    private RequestPlan full(WorkerPool pool, List<AgentTask> unfinished) {
        return planner.plan(run(), new RequestSnapshot(Optional.of(pool), unfinished, 0, Optional.empty()));
    }

    private RequestPlan standing(Ask ask, AgentTask task) {
        return planner.plan(ask, snapshot(Optional.of(pool(OPEN, READY))).withTask(Optional.of(task)));
    }

    private static RequestSnapshot snapshot(Optional<WorkerPool> pool) {
        return new RequestSnapshot(pool, List.of(), 0, Optional.empty());
    }

    private static int code(RequestPlan plan) {
        assertThat(plan).isInstanceOf(RequestPlan.Refuse.class);
        return ((RequestPlan.Refuse) plan).refusal().code();
    }

    private static WorkerPool pool(String spec, String status) {
        final WorkerPool pool = Resources.pool("team", "pool", null);
        pool.setSpec(Resources.of(WorkerPoolSpec.class, spec));
        pool.setStatus(Resources.of(WorkerPoolStatus.class, status));
        return pool;
    }

    /** @param key empty for none; {@code status} empty for none */
    private static AgentTask task(String key, String status, String... fields) {
        final String all = (key.isEmpty() ? "" : "idempotencyKey: " + key + ", ") + String.join(", ", fields);
        final AgentTask task = Resources.task("team", "pool-1", "pool", all.isEmpty() ? "title: ''" : all);
        if (!status.isEmpty()) {
            task.setStatus(Resources.of(AgentTaskStatus.class, status));
        }
        return task;
    }

    private static Ask run() {
        return ask(Ask.Endpoint.run, Optional.empty(), "say hello");
    }

    private static Ask run(String key) {
        return run(key, "say hello");
    }

    private static Ask run(String key, String prompt) {
        return ask(Ask.Endpoint.run, Optional.of(key), prompt);
    }

    private static Ask submit() {
        return ask(Ask.Endpoint.submit, Optional.empty(), "say hello");
    }

    private static Ask ask(Ask.Endpoint endpoint, Optional<String> key, String prompt) {
        return new Ask(
                endpoint,
                "team",
                "pool",
                key,
                Optional.empty(),
                new ObjectMapper().createObjectNode(),
                Resources.of(
                        dev.codeforge.api.AgentTaskSpec.class,
                        "{workerPoolRef: {name: pool}, prompt: " + prompt + "}"));
    }
}
