package dev.codeforge.operator.task.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.Resources;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

final class SpecHashTest {
    private static String of(String workspace) {
        return SpecHash.of(Resources.task("ns", "task", "pool", "workspace: {git: {" + workspace + "}}")
                .getSpec());
    }

    @Test
    void aWorkspaceThatSaysNothingNewHasTheHashThatLedgersHave() throws Exception {
        final String covered = "{\"config\":{},\"model\":\"\",\"pool\":\"pool\",\"prompt\":\"say hello\","
                + "\"workspace\":{\"git\":{\"url\":\"https://h/a.git\",\"ref\":null,\"push\":null}}}";
        final byte[] digest = MessageDigest.getInstance("SHA-256").digest(covered.getBytes(StandardCharsets.UTF_8));
        assertThat(of("url: 'https://h/a.git'")).isEqualTo(HexFormat.of().formatHex(digest));
    }

    @Test
    void anotherDepthIsOtherWork() {
        assertThat(of("url: 'https://h/a.git', depth: 2")).isNotEqualTo(of("url: 'https://h/a.git'"));
    }
}
