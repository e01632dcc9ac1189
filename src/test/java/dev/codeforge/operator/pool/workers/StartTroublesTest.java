package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.events.v1.EventList;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@EnableKubernetesMockClient(https = false)
final class StartTroublesTest {
    private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");
    private static final String EVENTS =
            "/apis/events.k8s.io/v1/namespaces/ns/events?fieldSelector=regarding.uid%3Duid-1";
    private static final String FAILED_MOUNT =
            """
            {reason: FailedMount, type: Warning, note: 'secret "model-key" not found',
              deprecatedLastTimestamp: '2026-11-24T12:00:02Z', metadata: {name: a}}""";

    private KubernetesMockServer server;
    private KubernetesClient client;
    private final MovingClock clock = new MovingClock();
    private final WorkerPool pool = Resources.pool("ns", "pool", null);
    private final StartTroubles.Memory memory = new StartTroubles.Memory();
    private StartTroubles troubles;

    @BeforeEach
    void begin() {
        troubles = new StartTroubles(client, clock);
    }

    @Test
    void aPodThatHasJustBeenMadeIsAskedNothing() {
        events(FAILED_MOUNT);
        assertThat(troubles(creating())).isEmpty();
        clock.advance(4);
        assertThat(troubles(creating())).isEmpty();
        assertThat(server.getRequestCount()).isZero();
        assertThat(memory.awaitsAny()).isTrue();
    }

    @Test
    void whatHoldsUpAPodForSomeSecondsIsReadFromItsEvents() {
        events(FAILED_MOUNT);
        troubles(creating());
        clock.advance(5);
        final StartTrouble.Seen seen = troubles(creating()).orElseThrow();
        assertThat(seen.trouble().message()).isEqualTo("pod pod-1: FailedMount: secret \"model-key\" not found");
        assertThat(seen.since()).isEqualTo(NOON.plusSeconds(5));
        assertThat(seen.lasts(clock.instant())).isTrue();
    }

    @Test
    void eventsAreReadOnceInAWhile() {
        events(FAILED_MOUNT);
        troubles(creating());
        clock.advance(5);
        troubles(creating());
        troubles(creating());
        clock.advance(4);
        assertThat(troubles(creating())).isPresent();
        assertThat(server.getRequestCount()).isEqualTo(1);
    }

    @Test
    void anErrorThatIsFollowedByAnotherEventIsOver() {
        events(
                FAILED_MOUNT,
                "{reason: Pulling, type: Normal, deprecatedLastTimestamp: '2026-11-24T12:00:04Z', metadata: {name: b}}");
        troubles(creating());
        clock.advance(5);
        assertThat(troubles(creating())).isEmpty();
    }

    @Test
    void whoMayNotReadEventsServesThePoolWithoutThem() {
        server.expect().get().withPath(EVENTS).andReturn(403, "").always();
        troubles(creating());
        clock.advance(5);
        assertThat(troubles(creating())).isEmpty();
    }

    @Test
    void troubleIsCountedFromItsFirstSightUntilItIsOver() {
        final Pod pulling = pod("{waiting: {reason: ErrImagePull, message: i/o timeout}}");
        assertThat(troubles(pulling).orElseThrow().since()).isEqualTo(NOON);
        clock.advance(14);
        assertThat(troubles(pulling).orElseThrow().lasts(clock.instant())).isFalse();
        clock.advance(1);
        assertThat(troubles(pulling).orElseThrow().lasts(clock.instant())).isTrue();
        troubles(pod("{running: {}}"));
        assertThat(memory.awaitsAny()).isFalse();
        assertThat(troubles(pulling).orElseThrow().since()).isEqualTo(NOON.plusSeconds(15));
    }

    private Optional<StartTrouble.Seen> troubles(Pod pod) {
        return troubles.of(pool, memory, Optional.empty(), List.of(pod));
    }

    private void events(String... events) {
        server.expect()
                .get()
                .withPath(EVENTS)
                .andReturn(200, Resources.of(EventList.class, "items: [" + String.join(", ", events) + "]"))
                .always();
    }

    private static Pod creating() {
        return pod("{waiting: {reason: ContainerCreating}}");
    }

    private static Pod pod(String state) {
        return Resources.of(
                Pod.class,
                "metadata: {name: pod-1, uid: uid-1}\nstatus: {containerStatuses: [{name: worker, state: " + state
                        + "}]}");
    }

    private static final class MovingClock extends Clock {
        private Instant now = NOON;

        void advance(int seconds) {
            now = now.plus(Duration.ofSeconds(seconds));
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
