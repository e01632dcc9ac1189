package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import dev.codeforge.wire.WorkerRef;
import io.nats.client.Message;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The operator asks in the words of the golden messages, and understands their answers. */
final class NatsWorkerControlIT {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration LEASE = Duration.ofSeconds(60);
    private static final ObjectMapper JSON = new ObjectMapper();

    private JetStreamFixture jetStream;
    private WorkerControl workers;
    private final List<JsonNode> asked = new CopyOnWriteArrayList<>();
    private static final WorkerRef POD = new WorkerRef("ns", "pool", "pod");
    private volatile String answer = "worker-answer-idle";

    @BeforeEach
    void aWorkerThatAnswers() throws Exception {
        jetStream = new JetStreamFixture();
        workers = jetStream.connections.workers();
        jetStream.client.createDispatcher(this::answer).subscribe(Subjects.control(POD));
        jetStream.client.flush(TIMEOUT);
    }

    private void answer(Message question) {
        try {
            asked.add(JSON.readTree(question.getData()));
            jetStream.client.publish(question.getReplyTo(), JSON.writeValueAsBytes(golden(answer)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @AfterEach
    void stop() {
        jetStream.close();
    }

    @Test
    void itAsksAsTheGoldenRequestsDo() throws Exception {
        workers.look(POD, TIMEOUT);
        workers.drain(POD, LEASE, TIMEOUT);
        workers.finish(POD, LEASE, TIMEOUT);
        workers.resume(POD, TIMEOUT);
        workers.leave(POD, Duration.ofSeconds(90), TIMEOUT);
        assertThat(asked)
                .containsExactly(
                        golden("worker-request-look"),
                        golden("worker-request-drain"),
                        golden("worker-request-finish"),
                        golden("worker-request-resume"),
                        golden("worker-request-leave"));
    }

    @Test
    void onlyADrainedWorkerMayGo() {
        assertThat(answered("worker-answer-drained").mayGo()).isTrue();
        assertThat(answered("worker-answer-idle").mayGo()).isFalse();
        assertThat(answered("worker-answer-busy").mayGo()).isFalse();
        assertThat(answered("worker-answer-finishing").mayGo()).isFalse();
        assertThat(answered("worker-answer-finishing").draining()).isTrue();
    }

    @Test
    void itTellsForHowLongItHasBeenIdle() throws Exception {
        final double seconds = golden("worker-answer-idle").path("idleSeconds").asDouble();
        assertThat(answered("worker-answer-idle").idleFor()).isEqualTo(Duration.ofMillis((long) (seconds * 1000)));
    }

    @Test
    void itTellsWhatIsOpenToItsAgents() {
        assertThat(answered("worker-answer-idle").openWalls()).contains(List.of());
        assertThat(answered("worker-answer-busy").openWalls())
                .contains(List.of("agents can connect to any server by TCP: that needs Linux 6.7"));
    }

    @Test
    void aSpentWorkerMayGoAndNoOtherIsSpent() {
        assertThat(answered("worker-answer-spent").isSpent()).isTrue();
        assertThat(answered("worker-answer-spent").mayGo()).isTrue();
        assertThat(answered("worker-answer-drained").isSpent()).isFalse();
        assertThat(answered("worker-answer-finishing").spent()).contains(false);
    }

    @Test
    void whoRefusesOrIsSilentIsNotDrained() {
        answer = "worker-answer-refused";
        assertThat(workers.drain(POD, LEASE, TIMEOUT)).isEmpty();
        assertThat(workers.drain(new WorkerRef("ns", "pool", "nobody"), LEASE, TIMEOUT))
                .isEmpty();
    }

    @Test
    void theHolderIsToldWhyItHasToStop() throws Exception {
        final TaskRef task = new TaskRef("ns", "pool", "task");
        jetStream
                .client
                .createDispatcher(message -> {
                    asked.add(parsed(message));
                    jetStream.client.publish(
                            message.getReplyTo(),
                            "{\"worker\":\"w\",\"accepted\":true}".getBytes(StandardCharsets.UTF_8));
                })
                .subscribe(Subjects.control(task));
        jetStream.client.flush(TIMEOUT);
        assertThat(workers.cancel(task, 1, "RunTimeout", "it took too long")).isTrue();
        assertThat(asked)
                .containsExactly(
                        JSON.readTree(
                                "{\"action\":\"cancel\",\"attempt\":1,\"type\":\"RunTimeout\",\"reason\":\"it took too long\"}"));
    }

    @Test
    void aTaskThatNobodyRunsHasNoHolder() {
        final TaskRef unheld = new TaskRef("ns", "pool", "unheld");
        assertThat(workers.cancel(unheld, 1, "Cancelled", "asked")).isFalse();
        assertThat(workers.holder(unheld, Duration.ofMillis(500))).isEmpty();
    }

    private static JsonNode parsed(Message message) {
        try {
            return JSON.readTree(message.getData());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private WorkerControl.Answer answered(String golden) {
        answer = golden;
        return workers.look(POD, TIMEOUT).orElseThrow();
    }

    private static JsonNode golden(String name) throws IOException {
        return JSON.readTree(Files.readString(Path.of("schemas/golden", name + ".json")));
    }
}
