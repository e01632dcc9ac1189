package dev.codeforge.e2e;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong is said where its author looks, and nothing is stuck. */
final class BadInputE2E {
    @AutoClose
    private final Platform platform = new Platform();

    @Test
    void anUnknownFieldIsNamedByKubectl(@TempDir Path folder) throws Exception {
        assertThat(kubectlApply(folder, "{workerPoolRef: {name: pool}, prompt: p, modle: gpt}"))
                .contains("unknown field \"spec.modle\"");
    }

    @Test
    void aMissingPromptIsNamedByKubectl(@TempDir Path folder) throws Exception {
        assertThat(kubectlApply(folder, "{workerPoolRef: {name: pool}}")).contains("spec.prompt: Required value");
    }

    @Test
    void aSubjectOfAnotherNamespaceIsRefusedByKubectl(@TempDir Path folder) throws Exception {
        assertThat(kubectlApply(folder, "WorkerPool", "{backend: command, queue: {subject: tasks.elsewhere.pool}}"))
                .contains("spec.queue.subject must begin with tasks." + platform.namespace + ".");
    }

    /** Whose name is a word of the chart's subjectTemplate, tasks.agent.{backend}. */
    @Test
    void aNamespaceWithAWordOfTheTemplateGetsNoSubjectOfOthersPools(@TempDir Path folder) throws Exception {
        final var agent = platform.client
                .namespaces()
                .resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName("agent")
                        .endMetadata()
                        .build());
        agent.serverSideApply();
        try {
            assertThat(kubectlApply(
                            folder, "agent", "WorkerPool", "{backend: command, queue: {subject: tasks.agent.aider}}"))
                    .contains(
                            "spec.queue.subject tasks.agent.aider is what subjectTemplate of the chart gives to other pools");
        } finally {
            agent.delete();
        }
    }

    @Test
    void aCommandThatFailsFailsTheTaskWithItsExitCodeAndLastLine() {
        platform.pool("pool", 1, "echo it broke; exit 1");
        platform.task("task", "pool");
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("CommandFailed");
        assertThat(status.error().message()).contains("exited with code 1").contains("it broke");
        await().atMost(PATIENCE)
                .until(() -> platform.warning("task", "CommandFailed").isPresent());
    }

    @Test
    void aRepositoryThatCannotBeClonedFailsTheTask() {
        platform.pool("pool", 1, "cat");
        platform.task("task", "pool", "workspace: {git: {url: 'http://127.0.0.1:1/none.git'}}");
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).isEqualTo(Phase.Failed);
        assertThat(status.error().type()).isEqualTo("GitCloneFailed");
        assertThat(status.error().message()).contains("http://127.0.0.1:1/none.git");
    }

    @Test
    void anImageThatCannotStartStallsThePoolAndKeepsItsTasks() {
        platform.poolWithContainer("pool", 1, "{\"name\":\"worker\",\"image\":\"localhost/no-such-image:1\"}");
        platform.task("task", "pool");
        assertThat(platform.awaitReady("pool", "WorkersFailing").getMessage()).contains("no-such-image");
        assertThat(platform.status("task").phase()).isEqualTo(Phase.Queued);
    }

    @Test
    void aPoolWithoutAProgramSaysWhatToSet() {
        platform.poolWithContainer("pool", 1, "{\"name\":\"worker\"}");
        platform.task("task", "pool");
        assertThat(platform.awaitReady("pool", "WorkersFailing").getMessage())
                .contains("backend command has no program: set args");
    }

    @Test
    void anUnparsableMessageIsPutAsideAndShownOnThePool() throws Exception {
        platform.pool("pool", 1, "cat");
        platform.awaitReady("pool", "ScaledToZero");
        try (Platform.NatsAccess nats = platform.nats()) {
            nats.connection()
                    .jetStream()
                    .publish(
                            "tasks." + platform.namespace + ".pool",
                            "this is no task".getBytes(StandardCharsets.UTF_8));
        }
        await().atMost(PATIENCE).until(() -> platform.poolStatus("pool").deadLetters() == 1);
        await().atMost(PATIENCE)
                .until(() -> platform.warning("pool", "DeadLettered"), (Optional<String> note) -> note.filter(
                                text -> text.contains("Unparsable"))
                        .isPresent());
        platform.awaitWorkers("pool", 0);
    }

    private String kubectlApply(Path folder, String spec) throws IOException, InterruptedException {
        return kubectlApply(folder, "AgentTask", spec);
    }

    private String kubectlApply(Path folder, String kind, String spec) throws IOException, InterruptedException {
        return kubectlApply(folder, platform.namespace, kind, spec);
    }

    private static String kubectlApply(Path folder, String namespace, String kind, String spec)
            throws IOException, InterruptedException {
        final Path manifest = folder.resolve("resource.yaml");
        Files.writeString(
                manifest,
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: %s
                metadata: {name: refused, namespace: %s}
                spec: %s
                """
                        .formatted(kind, namespace, spec));
        final Process process = new ProcessBuilder(
                        Path.of(System.getProperty("codeforge.bin"), "kubectl").toString(),
                        "apply",
                        "-f",
                        manifest.toString())
                .redirectErrorStream(true)
                .start();
        final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isNotZero();
        return output;
    }
}
