package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.testing.TestNats;
import dev.codeforge.testing.faults.NatsProxy;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The operator's connection to NATS. */
final class NatsConnectionIT {
    /** Far less than the client takes by its default, six minutes. */
    private static final Duration SOON = Duration.ofSeconds(60);

    @Test
    void aConnectionWhoseOtherEndIsGoneWithoutAWordIsReplaced() throws Exception {
        try (TestNats nats = TestNats.withUsers();
                NatsProxy proxy = new NatsProxy(nats.endpoint())) {
            final NatsConnection connection = new NatsConnection(proxy.endpoint(), "test");
            try {
                await().atMost(SOON).until(() -> answers(connection));
                proxy.strand();
                assertThat(answers(connection)).isFalse();
                await().atMost(SOON).until(() -> answers(connection));
                assertThat(connection.connects()).isEqualTo(2);
            } finally {
                connection.close();
            }
        }
    }

    private static boolean answers(NatsConnection connection) {
        try {
            connection.ask(management -> management.getStreamNames());
            return true;
        } catch (QueueUnavailableException e) {
            return false;
        }
    }
}
