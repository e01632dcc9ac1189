package dev.codeforge.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.time.OffsetDateTime;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a real API server says to resources that are not valid; no operator runs. */
final class CrdIT {
    private KubernetesClient client;
    private String namespace;

    @BeforeEach
    void namespace() throws IOException {
        client = TestCluster.shared().client();
        namespace = TestCluster.shared().newNamespace();
    }

    @Test
    void aPoolNamesTheHostsThatItsAgentsMayReach() {
        assertThatCode(() -> create(
                        "WorkerPool",
                        "pool",
                        "{backend: a, isolation: {egress: {allow: [a.org, .b.org, 'git.team.svc:8443', A-1.c.d]}}}"))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{workerPoolRef: {name: p}} | spec.prompt",
                "{workerPoolRef: {name: p}, prompt: ''} | spec.prompt",
                "{workerPoolRef: {name: p}, prompt: \" \\n\\t \"} | spec.prompt",
                "{prompt: x} | spec.workerPoolRef",
                "{workerPoolRef: {name: p}, prompt: x, runTimeoutSeconds: 0} | spec.runTimeoutSeconds",
                "{workerPoolRef: {name: p}, prompt: x, config: {key: 1}} | spec.config.key",
                "{workerPoolRef: {name: p}, prompt: x, delivery: Twice} | spec.delivery",
                "{workerPoolRef: {name: p}, prompt: x, delivery: AtMostOnce, retry: {maxAttempts: 2}} | an AtMostOnce task has one attempt",
                "{workerPoolRef: {name: p}, prompt: x, retry: {maxAttempts: 0}} | spec.retry.maxAttempts",
                "{workerPoolRef: {name: p}, prompt: x, budget: {}} | a budget limits something",
                "{workerPoolRef: {name: p}, prompt: x, budget: {maxTokens: 0}} | spec.budget.maxTokens",
                "{workerPoolRef: {name: p}, prompt: x, budget: {maxCostUSD: '1e3'}} | spec.budget.maxCostUSD",
                "{workerPoolRef: {name: p}, prompt: x, budget: {maxCostUSD: '0.00'}} | maxCostUSD must be more than 0",
                "{workerPoolRef: {name: p}, prompt: x, queueTimeoutSeconds: 0} | spec.queueTimeoutSeconds",
                "{workerPoolRef: {name: p}, prompt: x, idempotencyKey: ''} | spec.idempotencyKey",
                "{workerPoolRef: {name: p}, prompt: x, idempotencyKey: k, repeatPolicy: Always} | spec.repeatPolicy",
                "{workerPoolRef: {name: p}, prompt: x, notAfter: tomorrow} | spec.notAfter",
                "{workerPoolRef: {name: p}, prompt: x, notAfter: '2026-02-30T10:00:00Z'} | spec.notAfter",
                "{workerPoolRef: {name: p}, prompt: x, notAfter: '2026-12-24T18:00:00+19:00'} | spec.notAfter",
                "{workerPoolRef: {name: p}, prompt: x, workspace: {}} | spec.workspace.git",
                "{workerPoolRef: {name: p}, prompt: x, session: {}} | spec.session.name",
                "{workerPoolRef: {name: p}, prompt: x, workspace: {git: {url: /etc}}} | spec.workspace.git.url",
                "{workerPoolRef: {name: p}, prompt: x, workspace: {git: {url: 'https://h/r', push: {}}}} | spec.workspace.git.push.policy",
                "{workerPoolRef: {name: p}, prompt: x, workspace: {git: {url: 'https://h/r', ref: --upload-pack=x}}} | spec.workspace.git.ref"
            })
    void aTaskThatCannotRunIsRefusedByItsField(String spec, String field) {
        assertThatThrownBy(() -> create("AgentTask", "task", spec))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(field);
    }

    @Test
    void aPoolThatGivesEachTaskAWorkerRunsOneTaskAWorker() {
        assertThatCode(() -> create("WorkerPool", "one", "{backend: a, isolation: {workerPerTask: true}}"))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> create(
                        "WorkerPool", "two", "{backend: a, tasksPerWorker: 2, isolation: {workerPerTask: true}}"))
                .hasMessageContaining("workerPerTask needs tasksPerWorker 1");
    }

    @Test
    void aTaskWithALongPromptIsTakenAndOneWithALongerIsNot() {
        assertThatCode(() -> create("AgentTask", "long", task("a".repeat(65_536))))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> create("AgentTask", "longer", task("a".repeat(65_537))))
                .hasMessageContaining("spec.prompt");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{workerPoolRef: {name: p}, prompt: another}",
                "{workerPoolRef: {name: q}, prompt: x}",
                "{workerPoolRef: {name: p}, prompt: x, model: m}",
                "{workerPoolRef: {name: p}, prompt: x, budget: {maxCostUSD: '2.50'}}"
            })
    void aTasksSpecDoesNotChange(String spec) {
        create("AgentTask", "task", task("x"));
        assertThatThrownBy(() -> update("AgentTask", "task", spec))
                .hasMessageContaining("a task's spec cannot be changed: create a new task");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{workerPoolRef: {name: p}, prompt: x, suspend: true}",
                "{workerPoolRef: {name: p}, prompt: x, cancel: true}",
                "{workerPoolRef: {name: p}, prompt: x, rerun: again}"
            })
    void whatSteersATaskMayChangeAndChangeBack(String spec) {
        create("AgentTask", "task", task("x"));
        assertThatCode(() -> {
                    update("AgentTask", "task", spec);
                    update("AgentTask", "task", task("x"));
                })
                .doesNotThrowAnyException();
    }

    @Test
    void aCancelledTaskIsRunAgainOnlyTogetherWithTakingTheCancelBack() {
        create("AgentTask", "task", "{workerPoolRef: {name: p}, prompt: x, cancel: true}");
        assertThatThrownBy(() -> update(
                        "AgentTask", "task", "{workerPoolRef: {name: p}, prompt: x, cancel: true, rerun: again}"))
                .hasMessageContaining("setting cancel to false together with a new value of rerun");
        assertThatCode(() -> update("AgentTask", "task", "{workerPoolRef: {name: p}, prompt: x, rerun: again}"))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2026-12-24T18:00:00Z",
                "2026-12-24T18:00:00.123456789Z",
                "2026-12-24T18:00:00+17:59",
                "0001-01-01T00:00:00-00:00"
            })
    void theTimesThatTheApiServerTakesAreRead(String time) {
        create("AgentTask", "task", "{workerPoolRef: {name: p}, prompt: x, notAfter: '" + time + "'}");
        assertThat(client.resources(AgentTask.class)
                        .inNamespace(namespace)
                        .withName("task")
                        .require()
                        .getSpec()
                        .notAfter())
                .isEqualTo(OffsetDateTime.parse(time).toInstant());
    }

    @Test
    void aTimeToLiveNeedsWhatKeepsTheTaskFromBeingPaidTwice() {
        assertThatThrownBy(() -> create(
                        "AgentTask", "task", "{workerPoolRef: {name: p}, prompt: x, ttlSecondsAfterFinished: 5}"))
                .hasMessageContaining("needs idempotencyKey or generateName");
        assertThatCode(() -> create(
                        "AgentTask",
                        "task",
                        "{workerPoolRef: {name: p}, prompt: x, ttlSecondsAfterFinished: 5, idempotencyKey: k}"))
                .doesNotThrowAnyException();
    }

    @Test
    void aNewTaskDoesNotLookSettled() {
        create("AgentTask", "task", task("x"));
        final AgentTask stored = client.resources(AgentTask.class)
                .inNamespace(namespace)
                .withName("task")
                .require();
        assertThat(stored.getStatus().observedGeneration()).isEqualTo(-1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | spec.backend",
                "{backend: Upper} | spec.backend",
                "{backend: a, queue: {subject: 'tasks.a.>'}} | spec.queue.subject",
                "{backend: a, queue: {subject: tasks}} | subject must be tasks.<namespace>.<name>",
                "{backend: a, queue: {subject: holder}} | subject must be tasks.<namespace>.<name>",
                "{backend: a, queue: {subject: results.x}} | subject must be tasks.<namespace>.<name>",
                "{backend: a, isolation: {egress: {policy: Closed}}} | spec.isolation.egress.policy",
                "{backend: a, isolation: {egress: {allow: ['https://a.org']}}} | allow names hosts",
                "{backend: a, isolation: {egress: {allow: ['*.a.org']}}} | allow names hosts",
                "{backend: a, isolation: {egress: {allow: [10.0.0.1]}}} | addresses are not allowed",
                "{backend: a, isolation: {egress: {allow: ['10.0.0.1:443']}}} | addresses are not allowed",
                "{backend: a, isolation: {egress: {allow: ['a.org:0']}}} | allow names hosts",
                "{backend: a, queue: {subject: _INBOX}} | subject must be tasks.<namespace>.<name>",
                "{backend: a, scaling: {}} | spec.scaling.maxReplicas",
                "{backend: a, scaling: {minReplicas: 3, maxReplicas: 2}} | minReplicas must not be greater than maxReplicas",
                "{backend: a, queue: {heartbeatTimeoutSeconds: 4}} | spec.queue.heartbeatTimeoutSeconds",
                "{backend: a, taskDefaults: {budget: {maxCostUSD: '-1'}}} | spec.taskDefaults.budget.maxCostUSD",
                "{backend: a, queue: {storage: tape}} | spec.queue.storage"
            })
    void aPoolThatCannotServeIsRefused(String spec, String words) {
        assertThatThrownBy(() -> create("WorkerPool", "pool", spec))
                .isInstanceOf(KubernetesClientException.class)
                .hasMessageContaining(words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{backend: b} | backend cannot be changed",
                "{backend: a, queue: {subject: tasks.s}} | subject cannot be added, changed or removed",
                "{backend: a, queue: {storage: Memory}} | storage cannot be changed"
            })
    void whatAPoolsQueueWasMadeForDoesNotChange(String spec, String words) {
        create("WorkerPool", "pool", "{backend: a}");
        assertThatThrownBy(() -> update("WorkerPool", "pool", spec)).hasMessageContaining(words);
    }

    @Test
    void aPoolsNameBecomesPartOfOthers() {
        final String words = "a pool's name is at most 50 characters without dots";
        assertThatThrownBy(() -> create("WorkerPool", "a.b", "{backend: a}")).hasMessageContaining(words);
        assertThatThrownBy(() -> create("WorkerPool", "a".repeat(51), "{backend: a}"))
                .hasMessageContaining(words);
        assertThatCode(() -> create("WorkerPool", "a".repeat(50), "{backend: a}"))
                .doesNotThrowAnyException();
    }

    private static String task(String prompt) {
        return "{workerPoolRef: {name: p}, prompt: " + prompt + "}";
    }

    private void create(String kind, String name, String spec) {
        client.resource(resource(kind, name, spec)).create();
    }

    private void update(String kind, String name, String spec) {
        client.resource(resource(kind, name, spec)).update();
    }

    private GenericKubernetesResource resource(String kind, String name, String spec) {
        return Serialization.unmarshal(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: %s
                metadata: {name: %s, namespace: %s}
                spec: %s
                """
                        .formatted(kind, name, namespace, spec),
                GenericKubernetesResource.class);
    }
}
