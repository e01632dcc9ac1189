package dev.codeforge.jetstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.wire.Subjects;
import io.nats.client.api.StreamConfiguration;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class SharedStreamsIT {
    @Test
    void whatDriftedIsMended() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            for (final String stream : new String[] {
                Subjects.RESULTS_STREAM, Subjects.DEADLETTERS_STREAM, Subjects.ADVISORIES_STREAM, NatsLedger.STREAM
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
    void whatIsMissingIsMadeAgain() throws Exception {
        try (JetStreamFixture jetStream = new JetStreamFixture()) {
            jetStream.management().deleteStream(NatsLedger.STREAM);
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
