package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.jetstream.TaskQueue.Settings;
import dev.codeforge.jetstream.TaskQueue.SubjectTakenException;
import dev.codeforge.wire.Subjects;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How a pool's stream and consumer are looked at. */
final class TaskQueueIT {
    private static JetStreamFixture jetStream;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        jetStream = new JetStreamFixture();
    }

    @AfterAll
    static void stop() {
        jetStream.close();
    }

    @Test
    void whatIsMissingIsSaidAndNotMade() throws Exception {
        final Settings wanted = settings("missing", 1, false, JetStreamFixture.OWNER);
        assertThat(queue().inspect(wanted)).isEmpty();
        assertThat(jetStream.management().getStreamNames()).doesNotContain(wanted.stream());
        queue().ensure(wanted);
        jetStream.management().deleteConsumer(wanted.stream(), Subjects.WORKERS_DURABLE);
        assertThat(queue().inspect(wanted)).isEmpty();
    }

    @Test
    void whatWasEnsuredIsAsWantedAndReadTwice() throws Exception {
        final Settings wanted = settings("settled", 1, false, JetStreamFixture.OWNER);
        queue().ensure(wanted);
        final List<String> requests = jetStream.requests("$JS.API.>");
        assertThat(queue().inspect(wanted)).hasValueSatisfying(found -> {
            assertThat(found.asWanted()).isTrue();
            assertThat(found.sample().paused()).isFalse();
        });
        jetStream.client.flush(Duration.ofSeconds(5));
        assertThat(requests)
                .containsExactlyInAnyOrder(
                        "$JS.API.STREAM.INFO." + wanted.stream(),
                        "$JS.API.CONSUMER.INFO." + wanted.stream() + "." + Subjects.WORKERS_DURABLE);
    }

    @Test
    void whatIsToChangeIsNotAsWantedUntilItIsEnsured() {
        queue().ensure(settings("drifted", 1, false, JetStreamFixture.OWNER));
        final Settings slower = settings("drifted", 2, false, JetStreamFixture.OWNER);
        final Settings retained = settings("drifted", 2, false, new StreamOwner(JetStreamFixture.INSTALLATION, true));
        assertThat(queue().inspect(slower).orElseThrow().asWanted()).isFalse();
        queue().ensure(slower);
        assertThat(queue().inspect(slower).orElseThrow().asWanted()).isTrue();
        assertThat(queue().inspect(retained).orElseThrow().asWanted()).isFalse();
    }

    @Test
    void thatItIsPausedIsInTheSampleAlone() {
        queue().ensure(settings("paused", 1, true, JetStreamFixture.OWNER));
        final TaskQueue.Inspection found = queue().inspect(settings("paused", 1, false, JetStreamFixture.OWNER))
                .orElseThrow();
        assertThat(found.asWanted()).isTrue();
        assertThat(found.sample().paused()).isTrue();
    }

    @Test
    void anotherInstallationsIsNotLookedInto() {
        queue().ensure(settings("theirs", 1, false, JetStreamFixture.OWNER));
        final Settings ours = settings("theirs", 1, false, new StreamOwner("another-cluster", false));
        assertThatThrownBy(() -> queue().inspect(ours))
                .isInstanceOf(SubjectTakenException.class)
                .hasMessageContaining("another installation");
    }

    private static TaskQueue queue() {
        return jetStream.connections.queue();
    }

    private static Settings settings(String pool, int ackWaitSeconds, boolean paused, StreamOwner owner) {
        return new Settings(
                "tasks_ns_" + pool,
                "tasks.test." + pool,
                false,
                OptionalInt.empty(),
                OptionalLong.empty(),
                OptionalLong.empty(),
                Duration.ofSeconds(ackWaitSeconds),
                1000,
                paused,
                owner);
    }
}
