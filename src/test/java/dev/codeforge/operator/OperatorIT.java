package dev.codeforge.operator;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.api.WorkerPoolSpec.DeletionPolicy;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.testing.Resources;
import dev.codeforge.testing.ScriptedWorker;
import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.TestSettings;
import dev.codeforge.wire.PlainText;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskMessage;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicy;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingAdmissionPolicyBinding;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.nats.client.Connection;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole operator against a real API server and a real nats-server; workers are played by the test. */
final class OperatorIT {
    private static final WorkerPoolSpec.Scaling UP_TO_FIVE = new WorkerPoolSpec.Scaling(0, 5, 2, null, null);

    private static TestNats nats;
    private static KubernetesClient client;
    private static CodeforgeOperator operator;
    private String namespace;

    @BeforeAll
    static void start() throws Exception {
        nats = new TestNats();
        client = TestCluster.shared().client();
        operator = new CodeforgeOperator(
                TestSettings.of(TestCluster.shared().newNamespace(), "test", Set.of(), nats, false), client);
        operator.start();
    }

    @AfterAll
    static void stop() {
        operator.close();
        nats.close();
    }

    @BeforeEach
    void namespace() throws Exception {
        namespace = TestCluster.shared().newNamespace();
    }

    @Test
    void aTaskIsQueuedRunAndItsOutcomeWrittenInThreeWrites() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        final String before =
                create(Resources.task(namespace, "task", "pool")).getMetadata().getResourceVersion();
        assertThat(before).isNotEmpty();
        awaitPhase("task", Phase.Queued);
        try (ScriptedWorker worker = new ScriptedWorker(nats, namespace, "pool")) {
            final TaskMessage message = worker.take();
            assertThat(message.prompt()).isEqualTo("say hello");
            assertThat(message.runTimeoutSeconds()).isEqualTo(1800);
            worker.write(TaskEvent.Kind.RUNNING);
            awaitPhase("task", Phase.Running);
            worker.write(TaskEvent.Kind.PROGRESS);
            worker.write(TaskEvent.Kind.COMPLETED);
            worker.ack();
        }
        final AgentTaskStatus status = awaitPhase("task", Phase.Succeeded);
        assertThat(status.podName()).isEqualTo("worker-0");
        assertThat(status.attempts()).isEqualTo(1);
        assertThat(status.result().output()).isEqualTo("hello");
        assertThat(status.usage().costUSD()).isEqualTo("0.05");
        assertThat(Conditions.isTrue(status.conditions(), "Ready")).isTrue();
        assertThat(Conditions.isTrue(status.conditions(), "Finished")).isTrue();
        assertThat(status.history()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a\\u0000\\u001b[31mb",
                "a\u007Fb\u0085c",
                "half \\ud83d of a pair",
                "\\ufeffmark \uFFFE",
                "a\u2028--- b",
                "a\\r\\n... b"
            })
    void anOutcomeArrivesWhateverTheAgentPrinted(String printed) throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        create(Resources.task(namespace, "task", "pool"));
        try (ScriptedWorker worker = taking("task")) {
            worker.print(printed);
            worker.write(TaskEvent.Kind.COMPLETED);
            worker.ack();
        }
        final AgentTaskStatus status = awaitPhase("task", Phase.Succeeded);
        assertThat(status.result().output())
                .isEqualTo(PlainText.of(status.result().output()))
                .isNotEmpty();
        assertThat(Conditions.find(status.conditions(), "StatusRefused")).isEmpty();
    }

    @Test
    void anOutcomeThatAPolicyRefusesIsStoredWithoutTheWorkersWords() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        create(Resources.task(namespace, "task", "pool"));
        final String policy = "no-output-" + namespace;
        refuseOutput(policy);
        try (ScriptedWorker worker = taking("task")) {
            worker.write(TaskEvent.Kind.COMPLETED);
            worker.ack();
            final AgentTaskStatus status = awaitPhase("task", Phase.Succeeded);
            assertThat(status.result()).isNull();
            assertThat(status.usage().tokensIn()).isEqualTo(3);
            assertThat(condition(status.conditions(), "StatusRefused").getMessage())
                    .contains("422", "no words of agents here");
        } finally {
            client.resources(ValidatingAdmissionPolicyBinding.class)
                    .withName(policy)
                    .delete();
            client.resources(ValidatingAdmissionPolicy.class).withName(policy).delete();
        }
    }

    /** Returns when the policy holds. */
    private void refuseOutput(String name) {
        client.resource(Resources.of(
                        ValidatingAdmissionPolicy.class,
                        """
                                metadata: {name: %s}
                                spec:
                                  matchConstraints:
                                    resourceRules:
                                    - {apiGroups: [codeforge.dev], apiVersions: ['*'], operations: [UPDATE], resources: [agenttasks/status]}
                                  validations:
                                  - {expression: '!has(object.status.result)', message: no words of agents here}"""
                                .formatted(name)))
                .create();
        client.resource(Resources.of(
                        ValidatingAdmissionPolicyBinding.class,
                        """
                                metadata: {name: %1$s}
                                spec:
                                  policyName: %1$s
                                  validationActions: [Deny]
                                  matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %2$s}}}"""
                                .formatted(name, namespace)))
                .create();
        final AgentTask probe = create(Resources.task(namespace, "probe", "none"));
        await().atMost(PATIENCE).until(() -> {
            try {
                client.resource(probe)
                        .subresource("status")
                        .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"status\":{\"result\":{\"output\":\"x\"}}}");
                return false;
            } catch (KubernetesClientException refused) {
                return true;
            }
        });
    }

    @Test
    void aTaskThatIsLargerThanNatsTakesFailsAndHoldsNobodyUp() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        final String value = "\uD83D\uDE42".repeat(4096);
        final String config = IntStream.range(0, 64)
                .mapToObj(key -> "key" + key + ": \"" + value + '"')
                .collect(Collectors.joining(", ", "config: {", "}"));
        create(Resources.task(namespace, "large", "pool", config));
        final AgentTaskStatus status = awaitPhase("large", Phase.Failed);
        assertThat(status.error().type()).isEqualTo("TaskTooLarge");
        assertThat(status.error().message()).contains("1048576").contains("max_payload");
        create(Resources.task(namespace, "small", "pool"));
        awaitPhase("small", Phase.Queued);
        client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName("large")
                .delete();
    }

    @Test
    void aTaskThatFailsSaysWhy() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        create(Resources.task(namespace, "task", "pool"));
        try (ScriptedWorker worker = taking("task")) {
            worker.fail("CommandFailed", "sh exited with code 1");
            worker.ack();
        }
        final AgentTaskStatus status = awaitPhase("task", Phase.Failed);
        assertThat(status.error().type()).isEqualTo("CommandFailed");
        assertThat(condition(status.conditions(), "Stalled").getMessage()).isEqualTo("sh exited with code 1");
        await().atMost(PATIENCE)
                .until(() -> client.events().v1().events().inNamespace(namespace).list().getItems().stream()
                        .anyMatch(event -> "CommandFailed".equals(event.getReason())));
    }

    @Test
    void aRunWhosePodIsDeletedIsGivenBackAndNotCounted() throws Exception {
        create(Resources.pool(namespace, "pool", null));
        create(Resources.task(namespace, "task", "pool"));
        final Pod pod = workersPod();
        try (ScriptedWorker worker = takingIn(pod)) {
            worker.save("{\"done\":1}");
            worker.write(TaskEvent.Kind.PROGRESS);
            client.resource(pod).withGracePeriod(0).delete();
            final AgentTaskStatus status = awaitPhase("task", Phase.Queued);
            assertThat(status.history()).singleElement().satisfies(entry -> {
                assertThat(entry.outcome()).isEqualTo(Phase.Queued);
                assertThat(entry.podName()).isEqualTo(pod.getMetadata().getName());
                assertThat(entry.error().type()).isEqualTo("Disrupted");
            });
            assertThat(status.attempts()).isEqualTo(1);
            assertThat(status.failedAttempts()).isZero();
            assertThat(condition(status.conditions(), "Ready").getMessage()).contains("was deleted");
            worker.write(TaskEvent.Kind.RUNNING);
            worker.write(TaskEvent.Kind.COMPLETED);
            worker.ack();
        }
        assertThat(awaitPhase("task", Phase.Succeeded).history()).hasSize(2);
    }

    @Test
    void aRunWhoseContainerWasEndedForItsMemoryHasFailedAndSaysTheLimit() throws Exception {
        create(Resources.pool(namespace, "pool", null));
        create(Resources.task(namespace, "task", "pool", "retry: {maxAttempts: 3}"));
        final Pod pod = workersPod();
        try (ScriptedWorker ignored = takingIn(pod)) {
            client.resource(pod)
                    .subresource("status")
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            """
                            {"status": {"phase": "Running", "containerStatuses": [{"name": "worker", "ready": false,
                              "restartCount": 1, "image": "worker:test", "imageID": "", "lastState": {"terminated": {
                              "exitCode": 137, "reason": "OOMKilled", "finishedAt": "%s"}}}]}}"""
                                    .formatted(Instant.now().truncatedTo(ChronoUnit.SECONDS)));
            final AgentTaskStatus status = awaitPhase("task", Phase.Failed);
            assertThat(status.error().type()).isEqualTo("OutOfMemory");
            assertThat(status.error().message()).contains("its limit of 512Mi");
            assertThat(status.attempts()).isEqualTo(1);
        }
    }

    @Test
    void aPodIsShieldedFromEvictionWhileItRunsATask() throws Exception {
        create(Resources.pool(namespace, "pool", null));
        create(Resources.task(namespace, "task", "pool"));
        final Pod pod = workersPod();
        try (ScriptedWorker worker = takingIn(pod)) {
            await().atMost(PATIENCE)
                    .until(() -> annotations(pod), has -> "true".equals(has.get("karpenter.sh/do-not-disrupt")));
            assertThat(annotations(pod)).containsEntry("cluster-autoscaler.kubernetes.io/safe-to-evict", "false");
            worker.write(TaskEvent.Kind.COMPLETED);
            worker.ack();
        }
        await().atMost(PATIENCE).until(() -> annotations(pod), Map::isEmpty);
    }

    private Map<String, String> annotations(Pod pod) {
        final Map<String, String> has =
                client.resource(pod).require().getMetadata().getAnnotations();
        return has == null ? Map.of() : has;
    }

    /** A pod of the pool's Deployment, as its ReplicaSet would make it. */
    private Pod workersPod() {
        client.resource(Resources.of(
                        ServiceAccount.class, "metadata: {name: default, namespace: %s}".formatted(namespace)))
                .create();
        return client.resource(Resources.of(
                        Pod.class,
                        """
                        metadata: {name: pool-workers-5d8f-abcde, namespace: %s, labels: {codeforge.dev/pool: pool}}
                        spec:
                          automountServiceAccountToken: false
                          containers: [{name: worker, image: worker:test, resources: {limits: {memory: 512Mi}}}]
                        """
                                .formatted(namespace)))
                .create();
    }

    /** A worker in a pod that has begun to run the task. */
    private ScriptedWorker takingIn(Pod pod) throws Exception {
        awaitPhase("task", Phase.Queued);
        final ScriptedWorker worker =
                new ScriptedWorker(nats, namespace, "pool", pod.getMetadata().getName());
        worker.take();
        worker.write(TaskEvent.Kind.RUNNING);
        awaitPhase("task", Phase.Running);
        return worker;
    }

    @Test
    void aBudgetSpansAttemptsAndBeginsAnewWithARerun() throws Exception {
        create(Resources.pool(namespace, "pool", null));
        create(Resources.task(
                namespace, "task", "pool", "budget: {maxTokens: 14}, retry: {maxAttempts: 5, backoffSeconds: 0}"));
        // Each run uses 3 and 4 tokens and $0.05.
        try (ScriptedWorker worker = taking("task")) {
            worker.failSoThatItMayBeRetried("CommandFailed", "exit code 1");
            worker.ack();
            final TaskMessage second = worker.take();
            assertThat(second.budget()).isEqualTo(new TaskMessage.Budget(14L, null, TaskMessage.Spent.NOTHING));
            assertThat(second.spent()).isEqualTo(new TaskMessage.Spent(3, 4, "0.05"));
            worker.failSoThatItMayBeRetried("CommandFailed", "exit code 2");
            worker.ack();
            final AgentTaskStatus failed = awaitPhase("task", Phase.Failed);
            assertThat(failed.error().type()).isEqualTo("BudgetExceeded");
            assertThat(failed.usage()).isEqualTo(new AgentTaskStatus.Usage(6L, 8L, "0.10"));
            assertThat(failed.effective().budget().maxTokens()).isEqualTo(14);
            client.resources(AgentTask.class)
                    .inNamespace(namespace)
                    .withName("task")
                    .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"rerun\":\"1\"}}");
            assertThat(worker.take().budget().since()).isEqualTo(new TaskMessage.Spent(6, 8, "0.10"));
            worker.write(TaskEvent.Kind.COMPLETED);
            worker.ack();
        }
        final AgentTaskStatus status = awaitPhase("task", Phase.Succeeded);
        assertThat(status.usage()).isEqualTo(new AgentTaskStatus.Usage(9L, 12L, "0.15"));
        assertThat(status.usageAtRerun()).isEqualTo(new AgentTaskStatus.Usage(6L, 8L, "0.10"));
    }

    @Test
    void anEventWithoutAProofChangesNothing() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        create(Resources.task(namespace, "task", "pool"));
        try (ScriptedWorker worker = taking("task")) {
            worker.forge(TaskEvent.Kind.COMPLETED);
            awaitPhase("task", Phase.Running);
            throughout(Duration.ofSeconds(2), () -> phase("task") == Phase.Running);
            worker.fail("CommandFailed", "the true outcome");
            worker.ack();
        }
        assertThat(awaitPhase("task", Phase.Failed).error().message()).isEqualTo("the true outcome");
    }

    @Test
    void theNextAttemptBeginsWhenTheFailureSaysAndGoesOnFromWhatItSaved() throws Exception {
        create(Resources.pool(namespace, "pool", null));
        create(Resources.task(namespace, "task", "pool", "retry: {maxAttempts: 3, backoffSeconds: 3000}"));
        try (ScriptedWorker worker = taking("task")) {
            worker.save("{\"done\":1}");
            worker.failAndAskToWait("RateLimited", "the model is busy", 1);
            worker.ack();
            final TaskMessage second = worker.take();
            assertThat(second.attempt()).isEqualTo(2);
            assertThat(second.checkpoint()).isEqualTo("{\"done\":1}");
            worker.save("{\"done\":2}");
            worker.fail("CommandFailed", "exit code 1");
            worker.ack();
            awaitPhase("task", Phase.Failed);
            client.resources(AgentTask.class)
                    .inNamespace(namespace)
                    .withName("task")
                    .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"rerun\":\"1\"}}");
            final TaskMessage third = worker.take();
            assertThat(third.attempt()).isEqualTo(3);
            assertThat(third.checkpoint()).isNull();
        }
    }

    private Phase phase(String name) {
        return client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName(name)
                .require()
                .getStatus()
                .phase();
    }

    @Test
    void aTaskWaitsForAPoolThatDoesNotExistAndRunsOnceItDoes() {
        create(Resources.task(namespace, "task", "pool"));
        final AgentTaskStatus status = awaitPhase("task", Phase.Pending);
        assertThat(condition(status.conditions(), "Ready").getReason()).isEqualTo("PoolNotFound");
        assertThat(condition(status.conditions(), "Ready").getMessage())
                .contains("WorkerPool pool does not exist in namespace " + namespace);
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        awaitPhase("task", Phase.Queued);
    }

    @Test
    void aSubjectThatAnotherPoolHasIsNamedWithItsOwner() {
        final String subject = "tasks." + namespace + ".shared";
        create(Resources.pool(namespace, "first", subject, UP_TO_FIVE, DeletionPolicy.Delete));
        awaitReason("first", "ScaledToZero");
        create(Resources.pool(namespace, "second", subject, UP_TO_FIVE, DeletionPolicy.Delete));
        final Condition ready = awaitReason("second", "SubjectTaken");
        assertThat(ready.getMessage()).contains(Subjects.poolStream(namespace, "first"));
        assertThat(ready.getMessage()).contains("spec.queue.subject").contains("subjectTemplate");
    }

    @Test
    void aSubjectOfAnotherNamespaceIsRefusedAndNoStreamIsMade() throws Exception {
        create(Resources.pool(namespace, "pool", "tasks.elsewhere.pool", UP_TO_FIVE, DeletionPolicy.Delete));
        final Condition ready = awaitReason("pool", "SubjectReserved");
        assertThat(ready.getMessage()).contains("tasks.elsewhere.pool").contains("tasks.<its namespace>.<name>");
        try (Connection connection = nats.connect()) {
            assertThat(connection.jetStreamManagement().getStreamNames())
                    .doesNotContain(Subjects.poolStream(namespace, "pool"));
        }
    }

    @Test
    void workersFollowTheQueueUpAtOnceAndDownAfterTheWindow() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        awaitReplicas("pool", 0);
        for (int i = 0; i < 7; i++) {
            create(Resources.task(namespace, "task-" + i, "pool"));
        }
        awaitReplicas("pool", 5);
        try (ScriptedWorker worker = new ScriptedWorker(nats, namespace, "pool")) {
            for (int i = 0; i < 7; i++) {
                worker.take();
                worker.write(TaskEvent.Kind.RUNNING);
                worker.write(TaskEvent.Kind.COMPLETED);
                worker.ack();
            }
        }
        awaitReplicas("pool", 0);
        assertThat(deployment("pool").getMetadata().getManagedFields())
                .anyMatch(entry -> "codeforge-scaler".equals(entry.getManager())
                        && entry.getFieldsV1()
                                .getAdditionalProperties()
                                .toString()
                                .contains("f:replicas"));
    }

    @Test
    void anOutsideProducersMessageStartsAWorkerToo() throws Exception {
        final WorkerPool pool = create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        awaitReplicas("pool", 0);
        try (Connection producer = nats.connect()) {
            producer.jetStream()
                    .publish(pool.getSpec().queue().subject(), "{\"task_id\":\"x\",\"prompt\":\"p\"}".getBytes());
        }
        awaitReplicas("pool", 1);
    }

    @Test
    void deletingAQueuedTaskTakesItsMessageOffTheStream() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        final AgentTask task = create(Resources.task(namespace, "task", "pool"));
        awaitPhase("task", Phase.Queued);
        client.resource(task).delete();
        try (Connection connection = nats.connect()) {
            final var management = connection.jetStreamManagement();
            await().atMost(PATIENCE)
                    .until(() -> management
                                    .getStreamInfo(Subjects.poolStream(namespace, "pool"))
                                    .getStreamState()
                                    .getMsgCount()
                            == 0);
            assertThat(TaskEvent.parse(management
                                    .getLastMessage(Subjects.EVENTS_STREAM, Subjects.events(TaskIndex.ref(task)))
                                    .getData())
                            .kind())
                    .isEqualTo(TaskEvent.Kind.CANCELLED);
        }
    }

    @Test
    void deletingAPoolByPolicyDeleteFailsItsTasksAndRemovesQueueAndWorkers() throws Exception {
        final WorkerPool pool = create(
                Resources.pool(namespace, "pool", "tasks." + namespace + ".pool", UP_TO_FIVE, DeletionPolicy.Delete));
        create(Resources.task(namespace, "task", "pool"));
        awaitPhase("task", Phase.Queued);
        client.resource(pool).delete();
        final AgentTaskStatus status = awaitPhase("task", Phase.Failed);
        assertThat(status.error().type()).isEqualTo("PoolDeleted");
        await().atMost(PATIENCE).until(() -> client.resource(pool).get() == null);
        assertThat(deployment("pool")).isNull();
        try (Connection connection = nats.connect()) {
            assertThat(connection.jetStreamManagement().getStreamNames())
                    .doesNotContain(Subjects.poolStream(namespace, "pool"));
        }
    }

    @Test
    void deletingAPoolByPolicyDrainWaitsForItsTasks() throws Exception {
        final WorkerPool pool = create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        create(Resources.task(namespace, "task", "pool"));
        try (ScriptedWorker worker = taking("task")) {
            client.resource(pool).delete();
            awaitReason("pool", "Draining");
            create(Resources.task(namespace, "late", "pool"));
            assertThat(condition(awaitPhase("late", Phase.Pending).conditions(), "Ready")
                            .getReason())
                    .isEqualTo("PoolTerminating");
            worker.write(TaskEvent.Kind.COMPLETED);
            worker.ack();
        }
        awaitPhase("task", Phase.Succeeded);
        await().atMost(PATIENCE).until(() -> client.resource(pool).get() == null);
    }

    @Test
    void aTemplateThatTheApiServerRefusesStallsThePoolInItsWords() throws Exception {
        final WorkerPool pool = Resources.pool(namespace, "pool", UP_TO_FIVE);
        final WorkerPoolSpec spec = pool.getSpec();
        pool.setSpec(Resources.poolSpec(Map.of(
                "backend", spec.backend(),
                "queue", spec.queue(),
                "scaling", spec.scaling(),
                "template", Resources.of(Map.class, "{spec: {containers: [{name: worker, imagee: x}]}}"))));
        create(pool);
        assertThat(awaitReason("pool", "InvalidTemplate").getMessage()).contains("imagee");
        client.resource(pool).delete();
    }

    @Test
    void aMessageThatWasLostIsPublishedAgainByTheSweep() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        create(Resources.task(namespace, "task", "pool"));
        awaitPhase("task", Phase.Queued);
        try (Connection connection = nats.connect()) {
            connection.jetStreamManagement().purgeStream(Subjects.poolStream(namespace, "pool"));
        }
        try (ScriptedWorker worker = new ScriptedWorker(nats, namespace, "pool")) {
            await().atMost(PATIENCE).ignoreExceptions().until(() -> {
                worker.take();
                return true;
            });
            worker.write(TaskEvent.Kind.COMPLETED);
            worker.ack();
        }
        awaitPhase("task", Phase.Succeeded);
    }

    @Test
    void aMessageWhoseTaskIsGoneIsTakenOffTheStream() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        create(Resources.task(namespace, "task", "pool"));
        awaitPhase("task", Phase.Queued);
        final String gone = java.util.UUID.randomUUID().toString();
        final String stream = Subjects.poolStream(namespace, "pool");
        try (Connection connection = nats.connect()) {
            final var management = connection.jetStreamManagement();
            final var standing = management.getNextMessage(stream, 1, ">");
            connection
                    .jetStream()
                    .publish(io.nats.client.impl.NatsMessage.builder()
                            .subject(standing.getSubject()
                                            .substring(0, standing.getSubject().lastIndexOf('.') + 1)
                                    + gone)
                            .headers(ours(standing.getHeaders()))
                            .data(standing.getData())
                            .build());
            await().atMost(PATIENCE)
                    .until(() ->
                            management.getStreamInfo(stream).getStreamState().getMsgCount() == 1);
            assertThat(management.getNextMessage(stream, 1, ">").getSubject()).isEqualTo(standing.getSubject());
        }
    }

    /** The headers that say whose a message is; the others are the server's own business. */
    private static io.nats.client.impl.Headers ours(io.nats.client.impl.Headers all) {
        final io.nats.client.impl.Headers kept = new io.nats.client.impl.Headers();
        all.keySet().stream()
                .filter(name -> name.startsWith("Codeforge-"))
                .forEach(name -> kept.put(name, all.getFirst(name)));
        return kept;
    }

    @Test
    void theApiServerRefusesWhatTheSchemaForbids() {
        final AgentTask empty = Resources.task(namespace, "empty", "pool");
        empty.setSpec(Resources.of(AgentTaskSpec.class, "{workerPoolRef: {name: pool}, prompt: ''}"));
        assertThatThrownBy(() -> create(empty))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining("spec.prompt");
        create(Resources.task(namespace, "task", "pool"));
        awaitPhase("task", Phase.Pending);
        assertThatThrownBy(() -> client.resources(AgentTask.class)
                        .inNamespace(namespace)
                        .withName("task")
                        .edit(current -> {
                            current.setSpec(
                                    Resources.of(AgentTaskSpec.class, "{workerPoolRef: {name: other}, prompt: p}"));
                            return current;
                        }))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining("create a new task");
        final WorkerPool pool = Resources.pool(namespace, "pool", new WorkerPoolSpec.Scaling(3, 2, 60, null, null));
        assertThatThrownBy(() -> create(pool))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining("minReplicas must not be greater than maxReplicas");
    }

    @Test
    void kubectlScaleSizesAPoolWithoutScaling() {
        create(Resources.pool(namespace, "pool", null));
        awaitReplicas("pool", 1);
        client.resources(WorkerPool.class)
                .inNamespace(namespace)
                .withName("pool")
                .scale(3);
        awaitReplicas("pool", 3);
    }

    @Test
    void aConsumerThatDriftedIsCorrectedInPlace() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        awaitReplicas("pool", 0);
        final String stream = Subjects.poolStream(namespace, "pool");
        try (Connection connection = nats.connect()) {
            final var management = connection.jetStreamManagement();
            final var created =
                    management.getConsumerInfo(stream, Subjects.WORKERS_DURABLE).getCreationTime();
            management.updateConsumer(
                    stream,
                    io.nats.client.api.ConsumerConfiguration.builder(management
                                    .getConsumerInfo(stream, Subjects.WORKERS_DURABLE)
                                    .getConsumerConfiguration())
                            .ackWait(Duration.ofHours(1))
                            .build());
            await().atMost(PATIENCE).until(() -> management
                    .getConsumerInfo(stream, Subjects.WORKERS_DURABLE)
                    .getConsumerConfiguration()
                    .getAckWait()
                    .equals(Duration.ofSeconds(5)));
            assertThat(management
                            .getConsumerInfo(stream, Subjects.WORKERS_DURABLE)
                            .getCreationTime())
                    .isEqualTo(created);
        }
    }

    @Test
    void whileNatsIsAwayThePoolSaysSoAndTasksWaitForIt() throws Exception {
        create(Resources.pool(namespace, "pool", UP_TO_FIVE));
        awaitReason("pool", "ScaledToZero");
        nats.kill();
        try {
            awaitReason("pool", "QueueUnavailable");
            create(Resources.task(namespace, "task", "pool"));
        } finally {
            nats.start();
        }
        awaitReason("pool", "WorkersStarting");
        awaitPhase("task", Phase.Queued);
        awaitReplicas("pool", 1);
    }

    private ScriptedWorker taking(String task) throws Exception {
        awaitPhase(task, Phase.Queued);
        final ScriptedWorker worker = new ScriptedWorker(nats, namespace, "pool");
        worker.take();
        worker.write(TaskEvent.Kind.RUNNING);
        awaitPhase(task, Phase.Running);
        return worker;
    }

    private <T extends io.fabric8.kubernetes.api.model.HasMetadata> T create(T resource) {
        resource.getMetadata().setUid(null);
        resource.getMetadata().setGeneration(null);
        return client.resource(resource).create();
    }

    private AgentTaskStatus awaitPhase(String name, Phase phase) {
        return await().atMost(PATIENCE)
                .until(
                        () -> client.resources(AgentTask.class)
                                .inNamespace(namespace)
                                .withName(name)
                                .get()
                                .observedStatus()
                                .orElseGet(AgentTaskStatus::unobserved),
                        status -> status.phase() == phase);
    }

    private Condition awaitReason(String pool, String reason) {
        return await().atMost(PATIENCE)
                .until(
                        () -> Optional.ofNullable(client.resources(WorkerPool.class)
                                        .inNamespace(namespace)
                                        .withName(pool)
                                        .get())
                                .flatMap(WorkerPool::observedStatus)
                                .flatMap(status -> Conditions.find(status.conditions(), "Ready")),
                        found -> found.filter(ready -> reason.equals(ready.getReason()))
                                .isPresent())
                .orElseThrow();
    }

    private void awaitReplicas(String pool, int replicas) {
        await().atMost(PATIENCE)
                .until(() ->
                        deployment(pool) != null && deployment(pool).getSpec().getReplicas() == replicas);
    }

    private Deployment deployment(String pool) {
        return client.apps()
                .deployments()
                .inNamespace(namespace)
                .withName(pool + "-workers")
                .get();
    }

    private static Condition condition(List<Condition> conditions, String type) {
        return Conditions.find(conditions, type).orElseThrow();
    }
}
