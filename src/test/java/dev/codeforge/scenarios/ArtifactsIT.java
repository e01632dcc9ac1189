package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.Scene.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/** What a run leaves is named in its task's status, and is in the pool's bucket as the status says. */
final class ArtifactsIT {
    private static final String WORK = "seq 1 5000; printf kept > $CODEFORGE_ARTIFACTS/report.txt";

    @Scenario
    void artifactsAreInTheStatusAndTheirContentInTheBucket() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.worker("worker", "pool");
            scene.task("task", "pool", WORK, "idempotencyKey: key");
            final List<AgentTaskStatus.Artifact> artifacts =
                    scene.awaitPhase("task", Phase.Succeeded).result().artifacts();
            assertThat(artifacts)
                    .extracting(AgentTaskStatus.Artifact::object)
                    .containsExactly(scene.uid("task") + "/1-1/output.log", scene.uid("task") + "/1-1/report.txt");
            for (final AgentTaskStatus.Artifact artifact : artifacts) {
                final byte[] content = scene.broker().file("pool", artifact.object());
                assertThat(content).hasSize(artifact.size().intValue());
                assertThat(artifact.digest()).isEqualTo("sha-256:" + sha256(content));
            }
            assertThat(scene.broker().file("pool", artifacts.getLast().object()))
                    .isEqualTo("kept".getBytes(StandardCharsets.UTF_8));
            scene.task("again", "pool", WORK, "idempotencyKey: key");
            assertThat(scene.awaitPhase("again", Phase.Succeeded).result().artifacts())
                    .isEqualTo(artifacts);
        }
    }

    @Scenario
    void filesGoWithTheirPoolUnlessItIsRetained() throws Exception {
        try (Scene scene = Scene.started()) {
            scene.pool("gone", "deletionPolicy: Delete");
            scene.pool("kept", "deletionPolicy: Retain");
            eventually(() -> scene.broker().buckets().size() == 2);
            scene.poolResource("gone").delete();
            scene.poolResource("kept").delete();
            eventually(() -> scene.poolResource("gone").get() == null
                    && scene.poolResource("kept").get() == null);
            assertThat(scene.broker().buckets()).singleElement().asString().endsWith("_kept");
        }
    }

    private static String sha256(byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }
}
