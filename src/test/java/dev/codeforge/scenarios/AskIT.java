package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.Asking.script;
import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.Phase;
import dev.codeforge.scenarios.Asking.Reply;
import io.nats.client.Connection;
import io.nats.client.Subscription;
import io.nats.service.Discovery;
import io.nats.service.Endpoint;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A task that is asked for over NATS, and its outcome as the answer. */
final class AskIT {
    private static final Map<String, String> NO_HEADERS = Map.of();
    private static Scene scene;
    private static Asking client;

    @BeforeAll
    static void start() throws Exception {
        scene = Scene.started();
        scene.pool("pool", "taskRequests: {allowedFrom: NATS}");
        scene.pool("closed", "");
        scene.pool("idle", "taskRequests: {allowedFrom: NATS}");
        scene.pool("full", "maxMessages: 1", "taskRequests: {allowedFrom: NATS}");
        scene.worker("worker", "pool", 8);
        client = Asking.of(scene);
    }

    @AfterAll
    static void stop() throws Exception {
        client.close();
        scene.close();
    }

    @Scenario
    void runIsAnsweredWithTheOutcome() {
        final Reply reply =
                client.run("pool", script("echo the answer is six"), NO_HEADERS).join();
        assertThat(reply.code()).isZero();
        assertThat(reply.get("phase")).isEqualTo("Succeeded");
        assertThat(reply.get("namespace")).isEqualTo(scene.installation().namespace());
        assertThat(reply.body().at("/result/output").asText()).contains("the answer is six");
        assertThat(reply.body().has("usage")).isTrue();
        assertThat(task(reply).uid()).isEqualTo(reply.get("uid"));
        assertThat(scene.runs().of(reply.get("uid"))).hasSize(1);
    }

    @Scenario
    void theTraceOfWhoeverAsksIsKeptOnTheTask() {
        final String trace = "00-11111111111111111111111111111111-2222222222222222-01";
        final Reply reply =
                client.run("pool", script(WORK), Map.of("traceparent", trace)).join();
        assertThat(task(reply).getMetadata().getAnnotations()).containsEntry("codeforge.dev/traceparent", trace);
    }

    @Scenario
    void aTaskThatFailsIsAnOutcomeAndNoErrorOfTheService() {
        final Reply reply = client.run("pool", script("exit 3"), NO_HEADERS).join();
        assertThat(reply.code()).isZero();
        assertThat(reply.get("phase")).isEqualTo("Failed");
        assertThat(reply.body().at("/error/type").asText()).isEqualTo("CommandFailed");
    }

    @Scenario
    void submitIsAnsweredWithTheNameAndTheTaskRuns() throws Exception {
        final Reply reply = client.submit("pool", script(scene.hold("submitted")), NO_HEADERS)
                .get(10, java.util.concurrent.TimeUnit.SECONDS);
        assertThat(reply.code()).isZero();
        assertThat(reply.get("phase")).isEqualTo("Pending");
        assertThat(task(reply).uid()).isEqualTo(reply.get("uid"));
        scene.release("submitted");
        scene.awaitPhase(reply.get("name"), Phase.Succeeded);
    }

    @Scenario
    void thePoolDecidesWhetherItIsAsked() {
        final Reply closed = client.run("closed", script(WORK), NO_HEADERS).join();
        assertThat(closed.code()).isEqualTo(403);
        assertThat(closed.header("Nats-Service-Error")).contains("spec.taskRequests.allowedFrom to NATS");
        assertThat(closed.body().at("/error/type").asText()).isEqualTo("TaskRequestsNotAllowed");
        assertThat(client.run("nowhere", script(WORK), NO_HEADERS).join().code())
                .isEqualTo(404);
        assertThat(client.ask("agents.run.nowhere.pool", script(WORK), NO_HEADERS)
                        .join()
                        .code())
                .isEqualTo(404);
        assertThat(tasksOf("closed")).isEmpty();
    }

    @Scenario
    void whatIsNoTaskIsRefusedWithASentence() {
        assertRefused("please say hello", "The body is not JSON");
        assertRefused("{\"prompt\": \"a\", \"promptt\": \"b\"}", "unknown field promptt");
        // What the API server knows, it says.
        assertRefused(
                "{\"prompt\": \"a\", \"workspace\": {\"git\": {\"url\": \"https://x/y\", \"reff\": \"main\"}}}",
                "unknown field \"spec.workspace.git.reff\"");
        assertRefused("{\"prompt\": \"a\", \"runTimeoutSeconds\": 0}", "spec.runTimeoutSeconds");
        assertRefused(
                "{\"prompt\": \"a\", \"delivery\": \"AtMostOnce\", \"retry\": {\"maxAttempts\": 2}}",
                "an AtMostOnce task has one attempt");
    }

    private static void assertRefused(String body, String sentence) {
        final Reply reply = client.run("pool", body, NO_HEADERS).join();
        assertThat(reply.code()).as(body).isEqualTo(400);
        assertThat(reply.body().at("/error/message").asText()).contains(sentence);
    }

    @Scenario
    void aRequestThatIsRepeatedIsPaidOnce() throws Exception {
        final Map<String, String> headers = Map.of("Nats-Msg-Id", "repeated");
        final String work = script(scene.hold("repeated") + "\n" + WORK);
        final CompletableFuture<Reply> first = client.run("pool", work, headers);
        final CompletableFuture<Reply> second = client.run("pool", work, headers);
        final Reply name = client.submit("pool", work, headers).join();
        scene.awaitRun(name.get("name"));
        scene.release("repeated");
        assertThat(first.join().body()).isEqualTo(second.join().body());
        assertThat(first.join().get("phase")).isEqualTo("Succeeded");
        assertThat(client.run("pool", work, headers).join().body())
                .isEqualTo(first.join().body());
        assertThat(scene.runs().of(name.get("uid"))).hasSize(1);
        // Deleted, it is the ledger that knows the outcome.
        scene.taskResource(name.get("name")).delete();
        final Reply adopted = client.run("pool", work, headers).join();
        assertThat(adopted.get("name")).isEqualTo(name.get("name"));
        assertThat(adopted.get("uid")).isNotEqualTo(name.get("uid"));
        assertThat(adopted.body().path("result")).isEqualTo(first.join().body().path("result"));
        assertThat(scene.runs().of(adopted.get("uid"))).isEmpty();
    }

    @Scenario
    void anIdThatIsUsedForOtherWorkIsAConflict() {
        final Map<String, String> headers = Map.of("Nats-Msg-Id", "reused");
        assertThat(client.run("pool", script(WORK), headers).join().get("phase"))
                .isEqualTo("Succeeded");
        final Reply other =
                client.run("pool", script(WORK + " and more"), headers).join();
        assertThat(other.code()).isEqualTo(409);
        assertThat(other.get("uid")).isEmpty();
        // A key is a namespace's: an AgentTask that somebody else made has it as well.
        scene.task("theirs", "pool", WORK, "idempotencyKey: theirs");
        scene.awaitPhase("theirs", Phase.Succeeded);
        assertThat(client.run("pool", script("other work"), Map.of("Nats-Msg-Id", "theirs"))
                        .join()
                        .code())
                .isEqualTo(409);
    }

    @Scenario
    void anOperatorThatIsKilledInTheMiddlePaysNothingTwice() throws Exception {
        try (Scene own = Scene.started()) {
            own.pool("pool", "taskRequests: {allowedFrom: NATS}");
            own.worker("worker", "pool");
            try (Asking caller = Asking.of(own)) {
                final Map<String, String> headers = Map.of("Nats-Msg-Id", "survivor");
                final String work = script(own.hold("survivor") + "\n" + WORK);
                final CompletableFuture<Reply> lost = caller.run("pool", work, headers);
                final String name = caller.submit("pool", work, headers).join().get("name");
                own.awaitRun(name);
                own.restartOperator();
                eventually(() -> caller.submit("pool", work, headers).join().code() == 0);
                final CompletableFuture<Reply> again = caller.run("pool", work, headers);
                own.release("survivor");
                assertThat(again.join().get("phase")).isEqualTo("Succeeded");
                assertThat(again.join().get("name")).isEqualTo(name);
                assertThat(own.runs().of(again.join().get("uid"))).hasSize(1);
                assertThat(lost).isNotDone();
            }
        }
    }

    @Scenario
    void whoWaitsForATaskThatIsDeletedIsTold() throws Exception {
        final CompletableFuture<Reply> reply =
                client.run("pool", script(scene.hold("never")), Map.of("Nats-Msg-Id", "deleted"));
        final String name = client.submit("pool", script(scene.hold("never")), Map.of("Nats-Msg-Id", "deleted"))
                .join()
                .get("name");
        scene.awaitRun(name);
        scene.taskResource(name).delete();
        assertThat(reply.join().code()).isEqualTo(410);
        assertThat(reply.join().get("name")).isEqualTo(name);
    }

    @Scenario
    void aFullPoolRefusesTheNextTask() {
        assertThat(client.submit("full", script(WORK), NO_HEADERS).join().code())
                .isZero();
        eventually(() -> client.submit("full", script(WORK), NO_HEADERS).join().code() == 429);
        assertThat(tasksOf("full").size()).isLessThanOrEqualTo(2);
    }

    @Scenario
    void whoWantsToHearOfProgressHearsOfEachEvent() throws Exception {
        final Subscription answers = client.askMany("pool", script(WORK), Map.of("Codeforge-Progress", "true"));
        final Reply accepted = Asking.next(answers);
        assertThat(accepted.header("Codeforge-Progress")).isEqualTo("accepted");
        final Reply running = Asking.next(answers);
        assertThat(running.header("Codeforge-Progress")).isEqualTo("running");
        assertThat(running.get("task_id")).isEqualTo(accepted.get("uid"));
        assertThat(Asking.next(answers).header("Codeforge-Progress")).isEqualTo("completed");
        final Reply outcome = Asking.next(answers);
        assertThat(outcome.header("Codeforge-Progress")).isEmpty();
        assertThat(outcome.get("phase")).isEqualTo("Succeeded");
        assertThat(Asking.next(answers).message().getData()).isEmpty();
    }

    @Scenario
    void theServiceIsDiscovered() throws Exception {
        try (Connection nats = scene.installation().nats().connect()) {
            final Discovery discovery = new Discovery(nats);
            assertThat(discovery.ping("agents")).hasSize(1);
            final io.nats.service.InfoResponse info = discovery.info("agents").getFirst();
            assertThat(info.getVersion()).matches("\\d+\\.\\d+\\.\\d+").isNotEqualTo("0.0.0");
            assertThat(info.getMetadata()).containsKey("installation");
            assertThat(info.getEndpoints()).extracting(Endpoint::getName).containsExactlyInAnyOrder("run", "submit");
            assertThat(discovery.stats("agents").getFirst().getEndpointStatsList())
                    .hasSize(2);
        }
    }

    /** The server lets whoever asks name any subject for the answer, and the operator may publish everywhere. */
    @Scenario
    void nothingIsPublishedWhereNoInboxIs() throws Exception {
        try (Connection nats = scene.installation().nats().connect()) {
            final Subscription elsewhere = nats.subscribe("control.victim");
            nats.publish(
                    "agents.run." + scene.installation().namespace() + ".closed", "control.victim", new byte[] {'{', '}'
                    });
            assertThat(elsewhere.nextMessage(Duration.ofSeconds(2))).isNull();
        }
    }

    @Scenario
    void aWorkerMayNotAsk() throws Exception {
        try (Asking worker = new Asking(
                scene.installation().nats().workerEndpoint(),
                scene.installation().namespace(),
                "_INBOX.ns.pool.")) {
            worker.submit("idle", script(WORK), NO_HEADERS);
            throughout(Duration.ofSeconds(2), () -> tasksOf("idle").isEmpty());
        }
    }

    private static AgentTask task(Reply reply) {
        return scene.taskResource(reply.get("name")).require();
    }

    private static List<AgentTask> tasksOf(String pool) {
        return scene
                .installation()
                .client()
                .resources(AgentTask.class)
                .inNamespace(scene.installation().namespace())
                .list()
                .getItems()
                .stream()
                .filter(task -> pool.equals(task.getSpec().workerPoolRef().name()))
                .toList();
    }
}
