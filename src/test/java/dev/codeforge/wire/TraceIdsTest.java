package dev.codeforge.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The ids that a worker makes too. */
final class TraceIdsTest {
    private static final String UID = "5f0c4f9e-7a43-4d0e-9d2b-0a3c1e5b7f21";

    @Test
    void idsAreTheGoldenOnes() throws IOException {
        final Map<String, String> expected = new TreeMap<>();
        for (final JsonNode vector : new ObjectMapper()
                .readTree(Path.of("schemas", "golden", "spans.json").toFile())) {
            assertThat(vector.path("uid").asText()).isEqualTo(UID);
            assertThat(vector.path("trace_id").asText()).isEqualTo(TraceIds.trace(UID));
            expected.put(vector.path("name").asText(), vector.path("span_id").asText());
        }
        assertThat(expected)
                .isEqualTo(Map.of(
                        "task", TraceIds.task(UID),
                        "publish/1", TraceIds.publish(UID, 1),
                        "publish/2", TraceIds.publish(UID, 2),
                        "run/2/1", TraceIds.run(UID, 2, 1),
                        "run/2/2", TraceIds.run(UID, 2, 2),
                        "status/2", TraceIds.statusWrite(UID, 2)));
    }

    @Test
    void theHeaderNamesThePublishAndWhetherTheTraceIsKept() {
        final String named = "00-" + TraceIds.trace(UID) + "-" + TraceIds.publish(UID, 2);
        assertThat(TraceIds.traceparent(UID, 2, true)).isEqualTo(named + "-01");
        assertThat(TraceIds.traceparent(UID, 2, false)).isEqualTo(named + "-00");
    }
}
