package dev.codeforge.jetstream;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.wire.PoolConfig;
import dev.codeforge.wire.Subjects;
import io.nats.client.Subscription;
import io.nats.client.api.MessageInfo;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class PoolConfigsIT {
    private static final Map<String, String> SETTINGS = Map.of("edit-format", "whole");
    private static JetStreamFixture jetStream;
    private final String pool = "pool-" + UUID.randomUUID();

    @BeforeAll
    static void start() throws Exception {
        jetStream = new JetStreamFixture();
    }

    @AfterAll
    static void stop() {
        jetStream.close();
    }

    @Test
    void whatIsNewIsStoredAndTold() throws Exception {
        final Subscription workers = jetStream.client.subscribe(Subjects.poolControl("ns", pool));
        jetStream.client.flush(PATIENCE);
        keep(SETTINGS);
        assertThat(PoolConfig.parse(stored().getData())).isEqualTo(SETTINGS);
        assertThat(workers.nextMessage(PATIENCE)).isNotNull();
        final long revision = stored().getSeq();
        keep(SETTINGS);
        assertThat(stored().getSeq()).isEqualTo(revision);
        assertThat(workers.nextMessage(Duration.ofMillis(200))).isNull();
    }

    @Test
    void settingsThatAreTakenAwayAreNoLongerRead() throws Exception {
        keep(SETTINGS);
        keep(Map.of());
        assertThat(PoolConfig.parse(stored().getData())).isEmpty();
    }

    @Test
    void aPoolWithoutSettingsLeavesNothing() {
        keep(Map.of());
        assertThatThrownBy(this::stored).hasMessageContaining("no message found");
    }

    @Test
    void whatSomebodyElseWroteThereIsPutRight() throws Exception {
        jetStream
                .client
                .jetStream()
                .publish(CasBucket.CONFIG.subject(Subjects.poolConfigKey("ns", pool)), "[1".getBytes());
        keep(SETTINGS);
        assertThat(PoolConfig.parse(stored().getData())).isEqualTo(SETTINGS);
    }

    private void keep(Map<String, String> settings) {
        jetStream.connections.configs().keep("ns", pool, settings);
    }

    private MessageInfo stored() throws Exception {
        return jetStream
                .client
                .jetStreamManagement()
                .getLastMessage(
                        CasBucket.CONFIG.stream(), CasBucket.CONFIG.subject(Subjects.poolConfigKey("ns", pool)));
    }
}
