package dev.codeforge.operator.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.testing.Collector;
import dev.codeforge.testing.Patience;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.TraceIds;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The operator's spans, as an OTLP receiver gets them. */
final class OtlpTracingTest {
    private static final String CREATED = "2026-05-04T10:00:00Z";

    private final AgentTask task = Resources.task("ns", "task", "pool");
    private Collector collector;

    @BeforeEach
    void start() throws IOException {
        collector = new Collector();
        task.getMetadata().setCreationTimestamp(CREATED);
        task.getMetadata().setUid(UUID.randomUUID().toString());
    }

    @AfterEach
    void stop() {
        collector.close();
    }

    @Test
    void aTaskIsOneTraceFromItsCreationToTheWriteOfItsStatus() {
        final Instant write = Instant.now();
        try (Tracing tracing = tracing(Map.of())) {
            tracing.published(task, 1, "tasks_ns_pool", 7, write.minusSeconds(1));
            tracing.ended(task, status("phase: Succeeded, attempts: 1"), write);
        }
        final Collector.Seen root = span("AgentTask");
        assertThat(spans(3)).extracting(Collector.Seen::trace).containsOnly(TraceIds.trace(task.uid()));
        assertThat(root.id()).isEqualTo(TraceIds.task(task.uid()));
        assertThat(root.parent()).isEmpty();
        assertThat(root.start()).isEqualTo(Instant.parse(CREATED).getEpochSecond() * 1_000_000_000);
        assertThat(root.end()).isEqualTo(span("status write").end());
        assertThat(root.service()).isEqualTo("codeforge-operator");
        assertThat(root.attributes())
                .isEqualTo(Map.of(
                        "codeforge.task.id", task.uid(),
                        "codeforge.task.name", "task",
                        "codeforge.namespace", "ns",
                        "codeforge.pool", "pool",
                        "codeforge.phase", "Succeeded",
                        "codeforge.attempts", "1"));
        final Collector.Seen publish = span("publish 1");
        assertThat(publish.id()).isEqualTo(TraceIds.publish(task.uid(), 1));
        assertThat(publish.parent()).isEqualTo(root.id());
        assertThat(publish.kind()).isEqualTo("producer");
        assertThat(publish.attributes())
                .isEqualTo(Map.of(
                        "messaging.system", "nats",
                        "messaging.operation.type", "send",
                        "messaging.operation.name", "publish",
                        "messaging.destination.name", "tasks_ns_pool",
                        "messaging.message.id", "7",
                        "codeforge.attempt", "1"));
        assertThat(span("status write").id()).isEqualTo(TraceIds.statusWrite(task.uid(), 1));
        assertThat(span("status write").parent()).isEqualTo(root.id());
    }

    @Test
    void aFailedTaskIsAnErrorWithItsTypeAndItsCost() {
        try (Tracing tracing = tracing(Map.of())) {
            tracing.ended(
                    task,
                    status("phase: Failed, attempts: 2, usage: {tokensIn: 9, tokensOut: 3, costUSD: '0.5'},"
                            + " error: {type: RunTimeout, message: too long, retryable: true}"),
                    Instant.now());
        }
        assertThat(span("AgentTask").error()).isTrue();
        assertThat(span("AgentTask").attributes())
                .containsEntry("error.type", "RunTimeout")
                .containsEntry("gen_ai.usage.input_tokens", "9")
                .containsEntry("gen_ai.usage.output_tokens", "3")
                .containsEntry("codeforge.cost_usd", "0.5");
    }

    @Test
    void whatIsToldAgainHasTheSameId() {
        for (int i = 0; i < 2; i++) {
            try (Tracing tracing = tracing(Map.of())) {
                tracing.published(task, 3, "tasks_ns_pool", 7, Instant.now());
            }
        }
        assertThat(spans(2)).extracting(Collector.Seen::id).containsOnly(TraceIds.publish(task.uid(), 3));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "usageAtRerun: {tokensIn: 1, tokensOut: 2, costUSD: '0.1'}",
                "failedAttempts: 0, history: [{attempt: 1, outcome: Failed}, {attempt: 2, outcome: Succeeded}]",
                "failedAttempts: 1, history: [{attempt: 1, outcome: Cancelled}, {attempt: 2, outcome: Failed}]"
            })
    void aRerunAddsToTheTraceAndBeginsNoSecondOne(String life) {
        try (Tracing tracing = tracing(Map.of())) {
            tracing.ended(task, status("phase: Succeeded, attempts: 2, " + life), Instant.now());
        }
        assertThat(spans(1)).extracting(Collector.Seen::name).containsExactly("status write");
        assertThat(span("status write").parent()).isEqualTo(TraceIds.task(task.uid()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "failedAttempts: 1, history: [{attempt: 1, outcome: Failed}, {attempt: 2, outcome: Succeeded}]",
                "failedAttempts: 2, history: [{attempt: 1, outcome: Failed}, {attempt: 2, outcome: Failed}]",
                "failedAttempts: 0, history: [{attempt: 1, outcome: Suspended}, {attempt: 2, outcome: Succeeded}]"
            })
    void aRetryOrAPauseIsNoRerun(String life) {
        try (Tracing tracing = tracing(Map.of())) {
            tracing.ended(task, status("phase: Succeeded, attempts: 2, " + life), Instant.now());
        }
        assertThat(spans(2)).extracting(Collector.Seen::name).containsExactly("status write", "AgentTask");
    }

    @ParameterizedTest
    @CsvSource({
        "00-11111111111111111111111111111111-2222222222222222-01, 11111111111111111111111111111111-2222222222222222",
        "nonsense,"
    })
    void theTraceOfWhoeverHadItMadeIsLinked(String annotation, String link) {
        task.getMetadata().setAnnotations(Map.of("codeforge.dev/traceparent", annotation));
        try (Tracing tracing = tracing(Map.of())) {
            tracing.ended(task, status("phase: Succeeded, attempts: 1"), Instant.now());
        }
        assertThat(span("AgentTask").links()).isEqualTo(link == null ? List.of() : List.of(link));
    }

    @ParameterizedTest
    @ValueSource(strings = {"traceidratio", "parentbased_traceidratio"})
    void aShareOfTheTracesIsKeptAlthoughUuidsShareTheirBits(String sampler) {
        try (Tracing tracing = tracing(Map.of("OTEL_TRACES_SAMPLER", sampler, "OTEL_TRACES_SAMPLER_ARG", "0.25"))) {
            final List<String> uids = IntStream.range(0, 4000)
                    .mapToObj(i -> UUID.randomUUID().toString())
                    .toList();
            final long kept = uids.stream().filter(tracing::wants).count();
            assertThat(kept).isBetween(850L, 1150L);
            uids.stream().limit(100).forEach(uid -> {
                task.getMetadata().setUid(uid);
                tracing.published(task, 1, "tasks_ns_pool", 7, Instant.now());
                tracing.ended(task, status("phase: Succeeded, attempts: 1"), Instant.now());
            });
            tracing.close();
            final int all =
                    3 * (int) uids.stream().limit(100).filter(tracing::wants).count();
            assertThat(spans(all)).as("all of a trace, or nothing").hasSize(all);
        }
    }

    @Test
    void theKeyOfTheCollectorIsSent() {
        try (Tracing tracing = tracing(Map.of("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret"))) {
            tracing.published(task, 1, "tasks_ns_pool", 7, Instant.now());
        }
        spans(1);
        assertThat(collector.authorizations()).containsExactly("Bearer s3cret");
    }

    @ParameterizedTest
    @CsvSource({"OTEL_EXPORTER_OTLP_PROTOCOL,grpc", "OTEL_TRACES_SAMPLER,sometimes", "OTEL_SDK_DISABLED,true"})
    void whatCannotBeExportedKeepsNothingFromWorking(String name, String value) {
        assertThat(tracing(Map.of(name, value))).isSameAs(Tracing.OFF);
    }

    @Test
    void aCollectorThatDoesNotAnswerHoldsUpNothing() throws IOException {
        final Instant begun = Instant.now();
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Tracing tracing = OtlpTracing.of(TelemetrySettings.from(Map.of(
                        "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:" + silent.getLocalPort(),
                        "OTEL_EXPORTER_OTLP_TIMEOUT", "3600000",
                        "OTEL_BSP_MAX_QUEUE_SIZE", "600")))) {
            for (int i = 0; i < 20_000; i++) {
                tracing.published(task, i, "tasks_ns_pool", i, begun);
            }
        }
        // The first answer that somebody waited for would come after an hour.
        assertThat(Duration.between(begun, Instant.now())).isLessThan(Duration.ofMinutes(30));
    }

    private Tracing tracing(Map<String, String> more) {
        // A busy machine takes longer than the default for the first one.
        final Map<String, String> variables = new HashMap<>(
                Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url(), "OTEL_EXPORTER_OTLP_TIMEOUT", "100000"));
        variables.putAll(more);
        return OtlpTracing.of(TelemetrySettings.from(variables));
    }

    /** At least so many: the end of a program waits for its last spans no longer than a few seconds. */
    private List<Collector.Seen> spans(int count) {
        await().atMost(Patience.PATIENCE).until(() -> collector.spans().size() >= count);
        return collector.spans();
    }

    private Collector.Seen span(String name) {
        return await().atMost(Patience.PATIENCE)
                .until(
                        () -> collector.spans().stream()
                                .filter(span -> span.name().equals(name))
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    private static AgentTaskStatus status(String fields) {
        return Resources.of(AgentTaskStatus.class, "{" + fields + "}");
    }
}
