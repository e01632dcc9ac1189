package dev.codeforge.operator.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.codeforge.api.AgentTaskSpec;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a request says, and in which words one that cannot be read is refused. */
final class TaskRequestReaderTest {
    private static final String SUBJECT = "agents.run.team.pool";

    @Test
    void aRequestIsTheSpecOfATaskOnTheSubjectsPool() throws Exception {
        final Ask ask = read(
                "agents.submit.team.pool",
                Map.of(),
                "{\"prompt\": \"say hello\", \"retry\": {\"maxAttempts\": 2}, \"ttlSecondsAfterFinished\": 60}");
        assertThat(ask.endpoint()).isEqualTo(Ask.Endpoint.submit);
        assertThat(ask.namespace()).isEqualTo("team");
        assertThat(ask.spec().workerPoolRef().name()).isEqualTo("pool");
        assertThat(ask.spec().prompt()).isEqualTo("say hello");
        assertThat(ask.spec().retry().maxAttempts()).isEqualTo(2);
        assertThat(ask.key()).isEmpty();
        assertThat(ask.spec().idempotencyKey()).isNull();
    }

    @Test
    void aRequestMaySayUntilWhenItMayBegin() throws Exception {
        final Ask ask = read(
                SUBJECT,
                Map.of("Nats-Msg-Id", "1"),
                "{\"prompt\": \"a\", \"notAfter\": \"2026-12-24T18:00:00+01:00\", \"repeatPolicy\": \"OnFailure\"}");
        assertThat(ask.spec().notAfter()).isEqualTo("2026-12-24T17:00:00Z");
        assertThat(ask.fields().path("notAfter").asText()).isEqualTo("2026-12-24T18:00:00+01:00");
        assertThat(ask.spec().repeatPolicy()).isEqualTo(AgentTaskSpec.RepeatPolicy.OnFailure);
    }

    @Test
    void itsMessageIdIsTheIdempotencyKey() throws Exception {
        final Ask ask = read(SUBJECT, Map.of("Nats-Msg-Id", "order-7"), "{\"prompt\": \"say hello\"}");
        assertThat(ask.key()).contains("order-7");
        assertThat(ask.spec().idempotencyKey()).isEqualTo("order-7");
        assertThat(ask.fields().path("idempotencyKey").asText()).isEqualTo("order-7");
    }

    @Test
    void itsTraceIsKept() throws Exception {
        final String trace = "00-11111111111111111111111111111111-2222222222222222-01";
        assertThat(read(SUBJECT, Map.of("traceparent", trace), "{\"prompt\": \"a\"}")
                        .traceparent())
                .contains(trace);
        assertThat(read(SUBJECT, Map.of("traceparent", "0".repeat(129)), "{\"prompt\": \"a\"}")
                        .traceparent())
                .isEmpty();
        assertThat(read(SUBJECT, Map.of(), "{\"prompt\": \"a\"}").traceparent()).isEmpty();
    }

    @Test
    void theSameIdGivesTheSameNameAndNoIdANewOneEachTime() throws Exception {
        final Ask first = read(SUBJECT, Map.of("Nats-Msg-Id", "1"), "{\"prompt\": \"a\"}");
        final Ask again = read("agents.submit.team.pool", Map.of("Nats-Msg-Id", "1"), "{\"prompt\": \"b\"}");
        final Ask elsewhere = read("agents.run.other.pool", Map.of("Nats-Msg-Id", "1"), "{\"prompt\": \"a\"}");
        final Ask plain = read(SUBJECT, Map.of(), "{\"prompt\": \"a\"}");
        assertThat(TaskNames.of(first)).isEqualTo(TaskNames.of(again)).matches("pool-[0-9a-f]{32}");
        assertThat(TaskNames.of(elsewhere)).isNotEqualTo(TaskNames.of(first));
        assertThat(TaskNames.of(plain)).isNotEqualTo(TaskNames.of(plain)).matches("pool-[0-9a-f]{32}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            say hello                              | The body is not JSON
            ``                                     | The body is no JSON object: send one such as {"prompt":
            ["say hello"]                          | The body is no JSON object
            {"prompt": "a"} {"prompt": "b"}        | The body is not JSON
            {"prompt": "a", "prompt": "b"}         | Duplicate field 'prompt'
            {"title": "no prompt"}                 | The body has no prompt
            {"prompt": 7}                          | The body has no prompt, a string
            {"prompt": "a", "promptt": "b"}        | unknown field promptt. Known are budget, config, delivery, model,
            {"prompt": "a", "workerPoolRef": {}}   | the subject names the pool
            {"prompt": "a", "idempotencyKey": "k"} | send it as the header Nats-Msg-Id
            {"prompt": "a", "cancel": true}        | set it on the AgentTask once it is there
            {"prompt": "a", "delivery": "Maybe"}   | The body is no spec of an AgentTask
            """)
    void aBodyThatIsNoTaskIsRefusedWithASentence(String body, String sentence) {
        final Refusal refusal = refused(SUBJECT, Map.of(), body == null ? "" : body);
        assertThat(refusal.code()).isEqualTo(400);
        assertThat(refusal.message()).contains(sentence);
    }

    @Test
    void anIdOfNoOrTooManyCharactersIsRefused() {
        assertThat(refused(SUBJECT, Map.of("Nats-Msg-Id", "k".repeat(254)), "{\"prompt\": \"a\"}")
                        .message())
                .isEqualTo("The header Nats-Msg-Id has 254 characters: send 1 to 253, or leave it out.");
        assertThat(refused(SUBJECT, Map.of("Nats-Msg-Id", ""), "{\"prompt\": \"a\"}")
                        .code())
                .isEqualTo(400);
    }

    private static Ask read(String subject, Map<String, String> headers, String body) throws RefusedException {
        return TaskRequestReader.read(
                subject, name -> Optional.ofNullable(headers.get(name)), body.getBytes(StandardCharsets.UTF_8));
    }

    private static Refusal refused(String subject, Map<String, String> headers, String body) {
        return catchThrowableOfType(RefusedException.class, () -> read(subject, headers, body))
                .refusal();
    }
}
