package dev.codeforge.jetstream;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import io.nats.client.api.PersistMode;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamInfo;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SharedStreamsIT {
    @Test
    void whatDriftedIsMended() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            for (final String stream : new String[] {
                Subjects.EVENTS_STREAM,
                Subjects.RESULTS_STREAM,
                Subjects.LOGS_STREAM,
                Subjects.DEADLETTERS_STREAM,
                Subjects.ADVISORIES_STREAM,
                CasBucket.LEDGER.stream()
            }) {
                final StreamConfiguration made =
                        jetStream.management().getStreamInfo(stream).getConfiguration();
                jetStream
                        .management()
                        .updateStream(StreamConfiguration.builder(made)
                                .maxAge(Duration.ofMinutes(10))
                                .duplicateWindow(
                                        made.getDuplicateWindow().compareTo(Duration.ofMinutes(5)) > 0
                                                ? Duration.ofMinutes(5)
                                                : made.getDuplicateWindow())
                                .maxMessagesPerSubject(5)
                                .allowDirect(false)
                                .build());
                jetStream.streams.ensure();
                final StreamConfiguration mended =
                        jetStream.management().getStreamInfo(stream).getConfiguration();
                assertThat(mended.toJson()).isEqualTo(made.toJson());
            }
        }
    }

    @Test
    void linesAreNotWrittenToTheDiskOneByOneAndOutcomesAre() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            for (final String stream :
                    List.of(Subjects.EVENTS_STREAM, Subjects.RESULTS_STREAM, Subjects.DEADLETTERS_STREAM)) {
                assertThat(persistMode(jetStream, stream)).isNotEqualTo(PersistMode.Async);
            }
            assertThat(persistMode(jetStream, Subjects.LOGS_STREAM)).isEqualTo(PersistMode.Async);
        }
    }

    /** NATS does not change how a stream is written. */
    @Test
    void linesOfAnOlderInstallationAreKeptAndTheirStreamIsMendedOtherwise() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            jetStream.management().deleteStream(Subjects.LOGS_STREAM);
            jetStream
                    .management()
                    .addStream(StreamConfiguration.builder()
                            .name(Subjects.LOGS_STREAM)
                            .subjects("logs.*.*.*")
                            .build());
            final TaskRef task = new TaskRef("ns", "pool", "old");
            jetStream.client.jetStream().publish(Subjects.lines(task), "old".getBytes());
            jetStream.streams.ensure();
            final StreamInfo lines = jetStream.management().getStreamInfo(Subjects.LOGS_STREAM);
            assertThat(lines.getConfiguration().getPersistMode()).isNotEqualTo(PersistMode.Async);
            assertThat(lines.getConfiguration().getMaxAge()).isEqualTo(Duration.ofDays(7));
            assertThat(lines.getConfiguration().getDuplicateWindow()).isEqualTo(Duration.ofSeconds(10));
            assertThat(lines.getStreamState().getMsgCount()).isEqualTo(1);
            assertThat(jetStream.streams.problem()).isEmpty();
        }
    }

    private static PersistMode persistMode(JetStreamFixture jetStream, String stream) throws Exception {
        return jetStream.management().getStreamInfo(stream).getConfiguration().getPersistMode();
    }

    /** So an installation had it before events were told by pool. */
    @Test
    void resultsThatWereWrittenByTaskAreKept() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            jetStream.management().deleteStream(Subjects.RESULTS_STREAM);
            jetStream
                    .management()
                    .addStream(StreamConfiguration.builder()
                            .name(Subjects.RESULTS_STREAM)
                            .subjects("results.*")
                            .build());
            jetStream.client.jetStream().publish(Subjects.results("old"), "old".getBytes());
            jetStream.streams.ensure();
            final TaskRef task = new TaskRef("ns", "pool", "new");
            jetStream.client.jetStream().publish(Subjects.events(task), "new".getBytes());
            await().ignoreExceptions()
                    .untilAsserted(() -> assertThat(last(jetStream, "new")).isEqualTo("new"));
            assertThat(last(jetStream, "old")).isEqualTo("old");
            // The old one names no pool, and is in nobody's way.
            try (LiveStreams live = LiveStreams.of(jetStream.server.consoleEndpoint(), "test")) {
                assertThat(await().atMost(PATIENCE)
                                .ignoreExceptions()
                                .until(() -> live.eventsAfter(0), events -> events.size() == 2))
                        .extracting(Entry::task)
                        .containsExactly(new TaskRef("", "", ""), task);
            }
        }
    }

    private static String last(JetStreamFixture jetStream, String task) throws Exception {
        return new String(jetStream
                .management()
                .getLastMessage(Subjects.RESULTS_STREAM, Subjects.results(task))
                .getData());
    }

    @Test
    void whatIsMissingIsMadeAgain() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            jetStream.management().deleteStream(CasBucket.LEDGER.stream());
            jetStream.management().deleteStream(Subjects.ADVISORIES_STREAM);
            jetStream.streams.ensure();
            assertThat(jetStream.client.keyValue("ledger").getStatus().getTtl()).isEqualTo(Duration.ofDays(30));
            assertThat(jetStream
                            .management()
                            .getConsumerInfo(Subjects.ADVISORIES_STREAM, jetStream.streams.operatorDurable())
                            .getConsumerConfiguration()
                            .getMaxDeliver())
                    .isEqualTo(-1);
        }
    }
}
