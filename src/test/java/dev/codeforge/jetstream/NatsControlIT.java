package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

final class NatsControlIT {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    @Test
    void theHolderIsToldWhyItHasToStop() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            final List<JsonNode> requests = new CopyOnWriteArrayList<>();
            jetStream
                    .client
                    .createDispatcher(message -> {
                        try {
                            requests.add(new ObjectMapper().readTree(message.getData()));
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                        jetStream.client.publish(
                                message.getReplyTo(),
                                "{\"worker\":\"w\",\"accepted\":true}".getBytes(StandardCharsets.UTF_8));
                    })
                    .subscribe(Subjects.control(task("task")));
            jetStream.client.flush(TIMEOUT);
            final Control control = jetStream.connections.control();
            assertThat(control.cancel(task("task"), 1, "RunTimeout", "it took too long", TIMEOUT))
                    .isTrue();
            assertThat(requests)
                    .containsExactly(
                            new ObjectMapper()
                                    .readTree(
                                            "{\"action\":\"cancel\",\"attempt\":1,\"type\":\"RunTimeout\",\"reason\":\"it took too long\"}"));
            assertThat(control.cancel(task("unheld"), 1, "Cancelled", "asked", TIMEOUT))
                    .isFalse();
            assertThat(control.holder(task("unheld"), Duration.ofMillis(500))).isEmpty();
        }
    }

    private static TaskRef task(String id) {
        return new TaskRef("ns", "pool", id);
    }
}
