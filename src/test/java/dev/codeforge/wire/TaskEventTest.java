package dev.codeforge.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a worker, or somebody who has its credential, may write that nobody could store. */
final class TaskEventTest {

    @Test
    void everyTextOfAnEventIsPlain() throws Exception {
        final TaskEvent event = event(
                """
                "stream": "s\\u0001", "worker": "w\\u0001", "output": "o\\u0001", "files": ["f\\u0001", null],
                "error": "e\\ud800", "failure": {"type": "T", "message": "m\\u007f", "retryable": true},
                "result": {"summary": "s\\u0085", "files_total": 1, "artifacts_problem": "p\\u001b",
                  "git": {"base_commit": "b\\u0001", "branch": "b\\u0001", "commit": "c\\u0001", "pushed": true},
                  "artifacts": [{"name": "n\\u0001", "size": 1, "digest": "d\\u0001", "object": "o\\u0001"}]}""");
        final String json = new String(event.toJson(), StandardCharsets.UTF_8);
        assertThat(json)
                .contains(
                        "s\uFFFD", "w\uFFFD", "o\uFFFD", "f\uFFFD", "e\uFFFD", "m\uFFFD", "p\uFFFD", "b\uFFFD",
                        "n\uFFFD")
                .doesNotContain("\\u00", "\u007f", "\u0085");
    }

    @Test
    void anEventThatTellsTooMuchIsCut() throws Exception {
        final String files = String.join(",", Collections.nCopies(90, '"' + "f".repeat(9000) + '"'));
        final String artifacts = String.join(",", Collections.nCopies(90, "{\"name\": \"n\"}"));
        final TaskEvent event = event(
                """
                "output": "%s END", "files": [%s], "error": "%s",
                "failure": {"type": "T", "message": "%s", "retryable": true},
                "result": {"files_total": 90, "artifacts": [%s]}"""
                        .formatted("o".repeat(900_000), files, "e".repeat(9000), "m".repeat(9000), artifacts));
        assertThat(event.output()).hasSize(4096).endsWith(" END");
        assertThat(event.files()).hasSize(50).allMatch(file -> file.length() == 1024);
        assertThat(event.error()).hasSize(4096);
        assertThat(event.failure().message()).hasSize(4096);
        assertThat(event.result().artifacts()).hasSize(20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"+10000-01-01T00:00:00Z", "+1000000000-12-31T23:59:59Z", "-0001-01-01T00:00:00Z"})
    void aTimeThatTheApiServerDoesNotReadIsNone(String time) throws Exception {
        final TaskEvent event =
                event("\"time\": \"%1$s\", \"start_time\": \"%1$s\", \"completion_time\": \"%1$s\"".formatted(time));
        assertThat(event.time()).isEqualTo(Instant.EPOCH);
        assertThat(event.startTime()).isNull();
        assertThat(event.completionTime()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e999999999", "1e-999999999", "1234567890123456789012345678901"})
    void moneyThatNobodyCanAddIsNone(String amount) throws Exception {
        final TaskEvent event =
                event("\"cost_usd\": %1$s, \"usage\": {\"tokens_in\": 1, \"cost_usd\": \"%1$s\"}".formatted(amount));
        assertThat(event.costUsd()).isEqualTo(BigDecimal.ZERO);
        assertThat(event.usage().costUsd()).isEqualTo("0");
    }

    @Test
    void whatIsRightIsKeptAsItIs() throws Exception {
        final TaskEvent event = event(
                """
                "time": "2026-11-24T12:00:00Z", "output": "a\\n\\tÄ", "cost_usd": 0.05,
                "usage": {"tokens_in": 1, "tokens_out": 2, "cost_usd": "0.050000"}""");
        assertThat(event.time()).isEqualTo(Instant.parse("2026-11-24T12:00:00Z"));
        assertThat(event.output()).isEqualTo("a\n\tÄ");
        assertThat(event.costUsd()).isEqualTo(new BigDecimal("0.05"));
        assertThat(event.usage().costUsd()).isEqualTo("0.050000");
    }

    private static TaskEvent event(String fields) throws Exception {
        return TaskEvent.parse(
                """
                {"task_id": "t", "event": "failed", "event_id": "e", "attempt": 1, %s}"""
                        .formatted(fields)
                        .getBytes(StandardCharsets.UTF_8));
    }
}
