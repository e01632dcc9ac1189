package dev.codeforge.scenarios;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.faults.ApiRequest.taskStatus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.faults.Installation;
import dev.codeforge.testing.faults.KubernetesProxy;
import dev.codeforge.testing.faults.NatsProxy;
import dev.codeforge.testing.faults.OperatorProcess;
import dev.codeforge.testing.faults.WorkerProcess;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;

/** An installation with one operator, whose tasks' prompts are shell scripts; and what was seen of it from outside. */
final class Scene implements AutoCloseable {
    /** The shortest heartbeat timeout, seconds. */
    static final int ACK_WAIT = 5;

    private final Installation installation;
    private final OperatorProcess operator;
    private final StatusLog statuses;
    private final Broker broker;
    private final Runs runs;
    private final Map<String, String> uids = new ConcurrentHashMap<>();

    /** Nothing runs yet but NATS and the API server. */
    Scene() throws Exception {
        this(new Installation(), Map.of());
    }

    private Scene(Installation installation, Map<String, String> settings) throws Exception {
        this.installation = installation;
        this.operator = installation.operator("operator", settings);
        this.statuses = new StatusLog(installation.client(), installation.namespace());
        this.broker = new Broker(installation.nats(), installation.namespace());
        this.runs = new Runs(installation.directory().resolve("runs"));
    }

    /** On an API server of the test's own; nothing runs yet. */
    static Scene on(TestCluster cluster) throws Exception {
        return new Scene(new Installation(cluster), Map.of());
    }

    /** On an API server of the test's own; the operator works. */
    static Scene startedOn(TestCluster cluster) throws Exception {
        return started(on(cluster));
    }

    /** The operator works, and these pools have their queues. */
    static Scene started(String... pools) throws Exception {
        final Scene scene = started(new Scene());
        for (final String pool : pools) {
            scene.pool(pool, "");
        }
        return scene;
    }

    /** The operator works, with these environment variables. */
    static Scene startedWith(Map<String, String> settings) throws Exception {
        return started(new Scene(new Installation(), settings));
    }

    /** Closes it when its operator does not start: nobody else has it then. */
    private static Scene started(Scene scene) throws Exception {
        try {
            scene.startOperator();
            return scene;
        } catch (RuntimeException | Error e) {
            scene.close();
            throw e;
        }
    }

    void startOperator() {
        operator.start();
        operator.awaitReady();
    }

    /** The operator's metrics in Prometheus' text format. */
    String metrics() {
        return operator.metrics();
    }

    void restartOperator() {
        operator.kill();
        startOperator();
    }

    /** Makes a pool; returns when it takes tasks. */
    void pool(String name, String spec) {
        pool(name, "", spec);
    }

    /** As {@link #pool(String, String)}, with further fields of the queue as the inside of a YAML map. */
    void pool(String name, String queue, String spec) {
        installation.createPool(name, ACK_WAIT, queue, spec);
        eventually(() -> poolCondition(name, "QueueReady").equals("QueueReady"));
    }

    /** The reason of a pool's condition; empty when there is none. */
    String poolCondition(String name, String type) {
        return Optional.ofNullable(poolResource(name).get())
                .flatMap(WorkerPool::observedStatus)
                .flatMap(status -> Conditions.find(status.conditions(), type))
                .map(condition -> condition.getReason())
                .orElse("");
    }

    String subject(String pool) {
        return "tasks." + installation.namespace() + "." + pool;
    }

    /** A worker that takes tasks, one at a time. */
    WorkerProcess worker(String name, String pool) {
        return worker(name, pool, 1);
    }

    WorkerProcess worker(String name, String pool, int concurrency) {
        return worker(name, pool, concurrency, Map.of());
    }

    /** A worker with further environment variables. */
    WorkerProcess worker(String name, String pool, int concurrency, Map<String, String> more) {
        final Map<String, String> settings = new HashMap<>(more);
        settings.put("CODEFORGE_CONCURRENCY", Integer.toString(concurrency));
        final WorkerProcess worker = installation.worker(name, pool, ACK_WAIT, runs.script(), settings);
        worker.start();
        worker.awaitReady();
        return worker;
    }

    /** Creates a task that runs a script; {@code spec} are further fields as YAML. @return its UID */
    String task(String name, String pool, String script, String spec) {
        installation.create(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: AgentTask
                metadata: {name: %s}
                spec:
                  workerPoolRef: {name: %s}
                  prompt: |
                %s%s"""
                        .formatted(name, pool, script.indent(4), spec.indent(2)));
        final String uid = taskResource(name).require().uid();
        uids.put(name, uid);
        return uid;
    }

    /** Of the last task that was created under this name. */
    String uid(String task) {
        return uids.get(task);
    }

    /** Merges fields, as JSON, into a task's spec. */
    void edit(String task, String fields) {
        taskResource(task).patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{" + fields + "}}");
    }

    Resource<AgentTask> taskResource(String name) {
        return installation
                .client()
                .resources(AgentTask.class)
                .inNamespace(installation.namespace())
                .withName(name);
    }

    Resource<WorkerPool> poolResource(String name) {
        return installation
                .client()
                .resources(WorkerPool.class)
                .inNamespace(installation.namespace())
                .withName(name);
    }

    AgentTaskStatus status(String task) {
        return installation.status(task);
    }

    Phase phase(String task) {
        return status(task).phase();
    }

    AgentTaskStatus awaitPhase(String task, Phase phase) {
        return await().atMost(PATIENCE).until(() -> status(task), status -> status.phase() == phase);
    }

    /** A task is running before its program is: a worker writes the event first. Here the program has begun. */
    AgentTaskStatus awaitRun(String task) {
        return await().atMost(PATIENCE)
                .until(() -> status(task), status -> status.phase() == Phase.Running && hasBegun(task, status));
    }

    private boolean hasBegun(String task, AgentTaskStatus status) {
        return runs.of(taskResource(task).require().uid()).stream()
                .anyMatch(run ->
                        run.attempt() == status.attempts() && run.worker().equals(status.podName()));
    }

    /** The reason of the task's condition Ready. */
    String reason(String task) {
        return Conditions.find(status(task).conditions(), "Ready")
                .map(condition -> condition.getReason())
                .orElse("");
    }

    /** Waits until it is so; an error on the way, such as a broker that is away, is not the end of waiting. */
    static void eventually(Callable<Boolean> condition) {
        await().atMost(PATIENCE).ignoreExceptions().until(condition);
    }

    /** A file that scripts and test share. */
    Path file(String name) {
        return installation.directory().resolve(name);
    }

    /** A line of a script: waits until {@link #release} is called with the same name. */
    String hold(String name) {
        return "while [ ! -e " + file(name) + " ]; do sleep 0.1; done";
    }

    void release(String name) throws IOException {
        Files.createFile(file(name));
    }

    /** Status writes of a task that the API server did, by operators. */
    long writes(String task) {
        return installation.kubernetes().done(taskStatus(task));
    }

    /** One message, one run, one end told once, and no more writes than this; nothing is left in hand. */
    void assertDoneOnce(String task, int writes) {
        assertThat(runs.of(uid(task))).as("runs of %s", task).hasSize(1);
        assertEndedOnce(task, writes);
    }

    /** One end of the last attempt, told once, and no more writes than this. */
    void assertEndedOnce(String task, int writes) {
        final String uid = uid(task);
        final int attempt = status(task).attempts();
        assertThat(broker.ends(uid).stream().filter(event -> event.attempt() == attempt))
                .as("ends of attempt %d of %s", attempt, task)
                .hasSize(1);
        eventually(() -> statuses.ends(uid) >= 1);
        assertThat(statuses.ends(uid))
                .as("terminal statuses of %s, which showed %s", task, statuses.phases(uid))
                .isEqualTo(1);
        assertThat(writes(task))
                .as("status writes of %s, which showed %s", task, statuses.phases(uid))
                .isLessThanOrEqualTo(writes);
    }

    Installation installation() {
        return installation;
    }

    OperatorProcess operator() {
        return operator;
    }

    Broker broker() {
        return broker;
    }

    Runs runs() {
        return runs;
    }

    StatusLog statuses() {
        return statuses;
    }

    KubernetesProxy kubernetes() {
        return installation.kubernetes();
    }

    NatsProxy operatorNats() {
        return installation.operatorNats();
    }

    @Override
    public void close() throws Exception {
        statuses.close();
        broker.close();
        installation.close();
    }
}
