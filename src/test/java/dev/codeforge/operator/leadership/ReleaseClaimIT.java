package dev.codeforge.operator.leadership;

import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.NatsConnections;
import dev.codeforge.testing.TestNats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two releases on one account, as a real nats-server lets them see each other. */
final class ReleaseClaimIT {
    private static final Duration RENEWAL = Duration.ofMillis(200);
    private static final String FIRST = "team-a/codeforge";
    private static final String SECOND = "team-b/codeforge";

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final AtomicInteger lost = new AtomicInteger();
    private TestNats nats;
    private Connections connections;

    @BeforeEach
    void start() throws Exception {
        nats = new TestNats();
        connections = new NatsConnections(nats.endpoint(), "cluster");
        opened.add(nats);
        opened.add(connections);
    }

    @AfterEach
    void stop() throws Exception {
        for (final AutoCloseable part : opened.reversed()) {
            part.close();
        }
    }

    private ReleaseClaim claim(String installation, String release) {
        final ReleaseClaim claim = new ReleaseClaim(connections, installation, release, RENEWAL, lost::incrementAndGet);
        opened.add(claim);
        return claim;
    }

    private ReleaseClaim working(String release) {
        final ReleaseClaim claim = claim("cluster", release);
        claim.await();
        claim.keep();
        return claim;
    }

    private Thread awaiting(ReleaseClaim claim) {
        return Thread.ofVirtual().start(claim::await);
    }

    @Test
    void aSecondReleaseStandsByAndSaysWhoWorks() {
        working(FIRST);
        final ReleaseClaim second = claim("cluster", SECOND);
        final Thread start = awaiting(second);
        await().atMost(PATIENCE).until(() -> second.problem().isPresent());
        assertThat(second.problem().orElseThrow()).contains(FIRST, SECOND, "a NATS account of its own");
        throughout(RENEWAL.multipliedBy(10), start::isAlive);
    }

    @Test
    void oneThatIsSilentIsFollowed() throws Exception {
        final ReleaseClaim first = working(FIRST);
        final ReleaseClaim second = claim("cluster", SECOND);
        final Thread start = awaiting(second);
        await().atMost(PATIENCE).until(() -> second.problem().isPresent());
        first.close();
        assertThat(start.join(PATIENCE)).isTrue();
        assertThat(second.problem()).isEmpty();
        assertThat(connections.releases().read("cluster").orElseThrow().record())
                .isEqualTo(SECOND);
    }

    @Test
    void theSameReleaseStartsAgainAtOnce() {
        working(FIRST).close();
        final ReleaseClaim again = claim("cluster", FIRST);
        again.await();
        assertThat(again.problem()).isEmpty();
    }

    @Test
    void anotherClustersReleaseIsInNobodysWay() {
        working(FIRST);
        final ReleaseClaim other = claim("another-cluster", FIRST);
        other.await();
        assertThat(other.problem()).isEmpty();
    }

    @Test
    void oneThatWasFollowedEndsWhenItSeesIt() {
        working(FIRST);
        await().atMost(PATIENCE).until(() -> connections
                .releases()
                .write(
                        "cluster",
                        SECOND,
                        connections.releases().read("cluster").orElseThrow().revision())
                .isPresent());
        await().atMost(PATIENCE).until(() -> lost.get() > 0);
    }

    @Test
    void whoStandsByGoesOnToDoSoWhileTheServerIsAway() {
        working(FIRST);
        final ReleaseClaim second = claim("cluster", SECOND);
        final Thread start = awaiting(second);
        await().atMost(PATIENCE).until(() -> second.problem().isPresent());
        nats.kill();
        await().atMost(PATIENCE).until(() -> !connections.isConnected());
        throughout(RENEWAL.multipliedBy(10), start::isAlive);
    }

    @Test
    void aServerThatIsAwayKeepsNobodyFromStarting() throws Exception {
        nats.kill();
        final ReleaseClaim alone = claim("cluster", FIRST);
        assertThat(awaiting(alone).join(PATIENCE)).isTrue();
        assertThat(alone.problem()).isEmpty();
    }
}
