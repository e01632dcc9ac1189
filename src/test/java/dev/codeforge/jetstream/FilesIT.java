package dev.codeforge.jetstream;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.wire.Subjects;
import io.nats.client.JetStreamApiException;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.impl.NatsMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.OptionalInt;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class FilesIT {
    private static final long BYTES = 1L << 20;
    private static JetStreamFixture jetStream;
    private final String pool = "pool-" + UUID.randomUUID();
    private final String stream = Subjects.filesStream("ns", pool);
    private final String subjects = "$O." + Subjects.filesBucket("ns", pool);

    @BeforeAll
    static void start() throws Exception {
        jetStream = new JetStreamFixture();
    }

    @AfterAll
    static void stop() {
        jetStream.close();
    }

    @Test
    void aBucketIsMadeForThePool() throws Exception {
        ensure(BYTES);
        final StreamConfiguration made = configuration();
        assertThat(made.getSubjects()).containsExactlyInAnyOrder(subjects + ".C.>", subjects + ".M.>");
        assertThat(made.getMaxAge()).isEqualTo(Duration.ofDays(30));
        assertThat(made.getMaxBytes()).isEqualTo(BYTES);
        assertThat(made.getMetadata()).containsEntry(StreamOwner.INSTALLATION, JetStreamFixture.INSTALLATION);
        assertThat(jetStream
                        .client
                        .objectStore(Subjects.filesBucket("ns", pool))
                        .getList())
                .isEmpty();
    }

    @Test
    void aSettledBucketCostsOneRead() throws Exception {
        ensure(BYTES);
        final List<String> requests = jetStream.requests("$JS.API.STREAM.*." + stream);
        ensure(BYTES);
        jetStream.client.flush(PATIENCE);
        assertThat(requests).containsExactly("$JS.API.STREAM.INFO." + stream);
    }

    @Test
    void aNewSizeKeepsWhatIsInIt() throws Exception {
        ensure(BYTES);
        put("C.a.1");
        ensure(2 * BYTES);
        assertThat(configuration().getMaxBytes()).isEqualTo(2 * BYTES);
        assertThat(messages()).isEqualTo(1);
    }

    @Test
    void whatStandsIsNeitherWrittenOverNorSweptAway() throws Exception {
        ensure(BYTES);
        put("M.a");
        assertThatThrownBy(() -> put("M.a")).hasMessageContaining("maximum messages per subject exceeded");
        final io.nats.client.impl.Headers rollup = new io.nats.client.impl.Headers().put("Nats-Rollup", "all");
        assertThatThrownBy(() -> jetStream
                        .client
                        .jetStream()
                        .publish(NatsMessage.builder()
                                .subject(subjects + ".M.b")
                                .headers(rollup)
                                .data("x")
                                .build()))
                .hasMessageContaining("rollup not permitted");
        assertThat(messages()).isEqualTo(1);
    }

    @Test
    void aFullBucketRefuses() throws Exception {
        ensure(BYTES);
        final byte[] half = new byte[(int) BYTES / 2];
        jetStream.client.jetStream().publish(subjects + ".C.a.1", half);
        assertThatThrownBy(() -> jetStream.client.jetStream().publish(subjects + ".C.a.2", half))
                .isInstanceOf(JetStreamApiException.class)
                .hasMessageContaining("maximum bytes exceeded");
        assertThat(messages()).isEqualTo(1);
    }

    @Test
    void aBucketForWhichThereIsNoRoomIsRefused() {
        assertThatThrownBy(() -> ensure(1L << 60))
                .isInstanceOf(QueueRefusedException.class)
                .hasMessageContaining("insufficient storage");
    }

    @Test
    void oneFileIsRemovedAndTheOthersAreLeft() throws Exception {
        ensure(BYTES);
        for (final String file : List.of("one", "other")) {
            put("C." + file + ".1");
            put("C." + file + ".2");
            describe(file, file + ".*");
        }
        final Files files = jetStream.connections.files();
        files.forget("ns", pool, "one");
        assertThat(messages()).isEqualTo(3);
        files.forget("ns", pool, "one");
        files.forget("ns", "no-such-pool", "one");
        assertThat(messages()).isEqualTo(3);
    }

    @Test
    void aFileThatNamesTheChunksOfAllIsRemovedAlone() throws Exception {
        ensure(BYTES);
        put("C.mine.1");
        describe("bad", ">");
        jetStream.connections.files().forget("ns", pool, "bad");
        assertThat(messages()).isEqualTo(1);
    }

    private void describe(String name, String id) throws Exception {
        final String body = "{\"name\":\"" + name + "\",\"bucket\":\"b\",\"nuid\":\"" + id
                + "\",\"size\":1,\"chunks\":2,\"digest\":\"SHA-256=x\"}";
        final String encoded = Base64.getUrlEncoder().encodeToString(name.getBytes(StandardCharsets.UTF_8));
        jetStream.client.jetStream().publish(subjects + ".M." + encoded, body.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aBucketGoesWithItsPool() throws Exception {
        ensure(BYTES);
        put("C.a.1");
        remove(JetStreamFixture.INSTALLATION);
        assertThat(jetStream.management().getStreamNames()).doesNotContain(stream);
        remove(JetStreamFixture.INSTALLATION);
    }

    @Test
    void aBucketOfAnotherInstallationIsLeftAlone() throws Exception {
        ensure(BYTES);
        assertThatThrownBy(() -> jetStream
                        .connections
                        .files()
                        .ensure(new Files.Settings(
                                "ns", pool, 2 * BYTES, OptionalInt.empty(), new StreamOwner("another", false))))
                .isInstanceOf(QueueRefusedException.class)
                .hasMessageContaining("not of this installation");
        remove("another");
        assertThat(configuration().getMaxBytes()).isEqualTo(BYTES);
    }

    private void ensure(long bytes) {
        jetStream
                .connections
                .files()
                .ensure(new Files.Settings("ns", pool, bytes, OptionalInt.empty(), JetStreamFixture.OWNER));
    }

    private void remove(String installation) {
        jetStream.connections.files().remove("ns", pool, installation);
    }

    private void put(String subject) throws Exception {
        jetStream.client.jetStream().publish(subjects + "." + subject, new byte[] {1});
    }

    private StreamConfiguration configuration() throws Exception {
        return jetStream.management().getStreamInfo(stream).getConfiguration();
    }

    private long messages() throws Exception {
        return jetStream.management().getStreamInfo(stream).getStreamState().getMsgCount();
    }
}
