package dev.codeforge.testing.faults;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.testing.TestNats;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.JetStreamOptions;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.api.StreamConfiguration;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each fault between a client and NATS happens, and happens to what was chosen only. */
final class NatsProxyIT {
    private static final JetStreamOptions PATIENT =
            JetStreamOptions.builder().requestTimeout(PATIENCE).build();
    private static final JetStreamOptions IMPATIENT =
            JetStreamOptions.builder().requestTimeout(Duration.ofSeconds(1)).build();

    private TestNats nats;
    private NatsProxy proxy;
    private Connection direct;
    private Connection client;

    @BeforeEach
    void start() throws Exception {
        nats = TestNats.withUsers();
        proxy = new NatsProxy(nats.endpoint());
        direct = nats.connect();
        direct.jetStreamManagement()
                .addStream(
                        StreamConfiguration.builder().name("S").subjects("s.>").build());
        final NatsAccess.Password through = proxy.endpoint();
        client = Nats.connect(Options.builder()
                .server(through.url())
                .userInfo(through.username(), through.password())
                .maxReconnects(-1)
                .reconnectWait(Duration.ofMillis(100))
                .reconnectBufferSize(0)
                .errorListener(new ErrorListener() {})
                .build());
    }

    @AfterEach
    void stop() throws Exception {
        client.close();
        direct.close();
        proxy.close();
        nats.close();
    }

    @Test
    void whatMeetsNoFaultPassesBothWays() throws Exception {
        publish("s.a");
        publish("s.b");
        assertThat(messages()).isEqualTo(2);
        assertThat(proxy.published("s.*")).isEqualTo(2);
        assertThat(client.jetStreamManagement().getLastMessage("S", "s.b").getData())
                .hasSize(3);
    }

    @Test
    void theNthPubAckIsLostAndTheMessageStands() throws Exception {
        final Injection second = proxy.at(2, "s.>", new Fault.AnswerLost());
        publish("s.a");
        assertThatThrownBy(() -> publish("s.a", IMPATIENT)).isInstanceOf(java.io.IOException.class);
        second.awaitHit(Duration.ZERO);
        assertThat(messages()).isEqualTo(2);
        awaitConnected();
        publish("s.a");
        assertThat(messages()).isEqualTo(3);
    }

    @Test
    void aPubAckIsSwallowedAndTheConnectionStands() throws Exception {
        proxy.at(1, "s.a", new Fault.Silence());
        assertThatThrownBy(() -> publish("s.a", IMPATIENT)).isInstanceOf(java.io.IOException.class);
        assertThat(messages()).isEqualTo(1);
        assertThat(client.getStatus()).isEqualTo(Connection.Status.CONNECTED);
        assertThat(client.getStatistics().getReconnects()).isZero();
        publish("s.a");
    }

    @Test
    void aPublicationIsCutBeforeItReachesTheServer() throws Exception {
        proxy.at(1, "s.a", new Fault.Instead());
        assertThatThrownBy(() -> publish("s.a", IMPATIENT)).isInstanceOf(java.io.IOException.class);
        assertThat(messages()).isZero();
    }

    @Test
    void theServerIsKilledAtAPublicationAndKeepsWhatItHad() throws Exception {
        publish("s.a");
        proxy.at(1, "s.b", new Fault.Before(nats::kill));
        assertThatThrownBy(() -> publish("s.b", IMPATIENT)).isInstanceOf(java.io.IOException.class);
        nats.start();
        awaitConnected();
        assertThat(messages()).isEqualTo(1);
    }

    @Test
    void aBrokerLostWithItsDiskHasNoStreams() throws Exception {
        publish("s.a");
        nats.kill();
        nats.startEmpty();
        try (Connection anew = nats.connect()) {
            assertThat(anew.jetStreamManagement().getStreamNames()).isEmpty();
        }
    }

    @Test
    void aFrozenNetworkBringsEverythingLater() throws Exception {
        proxy.freeze();
        assertThatThrownBy(() -> publish("s.a", IMPATIENT)).isInstanceOf(java.io.IOException.class);
        assertThat(messages()).isZero();
        proxy.resume();
        await().atMost(PATIENCE).until(() -> messages() == 1);
        assertThat(client.getStatistics().getReconnects()).isZero();
    }

    @Test
    void aStrandedConnectionStaysSilentWhileAnotherIsServed() throws Exception {
        proxy.strand();
        assertThatThrownBy(() -> publish("s.a", IMPATIENT)).isInstanceOf(java.io.IOException.class);
        final NatsAccess.Password through = proxy.endpoint();
        final Options options = Options.builder()
                .server(through.url())
                .userInfo(through.username(), through.password())
                .build();
        try (Connection another = Nats.connect(options)) {
            another.publish("s.b", new byte[0]);
            await().atMost(PATIENCE).until(() -> messages() == 1);
        }
        // What was swallowed does not come later either.
        proxy.resume();
        throughout(Duration.ofSeconds(1), () -> messages() == 1);
        assertThat(client.getStatus()).isEqualTo(Connection.Status.CONNECTED);
    }

    @Test
    void cutConnectionsComeBackOnlyWhenTheyAreAccepted() throws Exception {
        proxy.refuse();
        proxy.cut();
        await().atMost(PATIENCE).until(() -> client.getStatus() != Connection.Status.CONNECTED);
        throughout(Duration.ofSeconds(1), () -> client.getStatus() != Connection.Status.CONNECTED);
        proxy.accept();
        awaitConnected();
        publish("s.a");
    }

    @Test
    void aConnectionIsCutInTheMiddleOfAMessage() throws Exception {
        proxy.cutAfter(10);
        assertThatThrownBy(() -> publish("s.a", IMPATIENT))
                .isInstanceOfAny(java.io.IOException.class, IllegalStateException.class);
        assertThat(messages()).isZero();
        awaitConnected();
        publish("s.a");
        assertThat(messages()).isEqualTo(1);
    }

    private void publish(String subject) throws Exception {
        publish(subject, PATIENT);
    }

    private void publish(String subject, JetStreamOptions options) throws Exception {
        client.jetStream(options).publish(subject, "one".getBytes());
    }

    private long messages() throws Exception {
        return direct.jetStreamManagement().getStreamInfo("S").getStreamState().getMsgCount();
    }

    private void awaitConnected() {
        await().atMost(PATIENCE)
                .until(() -> client.getStatus() == Connection.Status.CONNECTED
                        && direct.getStatus() == Connection.Status.CONNECTED);
    }
}
