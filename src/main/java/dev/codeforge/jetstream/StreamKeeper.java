package dev.codeforge.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.ConsumerInfo;
import io.nats.client.api.Republish;
import io.nats.client.api.Source;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamInfo;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Creates streams and consumers and corrects their configuration. A correct one costs one read. */
final class StreamKeeper {
    private static final int CLUSTER = 3;
    private final JetStreamManagement management;

    StreamKeeper(JetStreamManagement management) {
        this.management = management;
    }

    Optional<StreamInfo> find(String stream) throws IOException, JetStreamApiException {
        return JetStreamErrors.ifThere(() -> management.getStreamInfo(stream));
    }

    Optional<ConsumerInfo> findConsumer(String stream, String consumer) throws IOException, JetStreamApiException {
        return JetStreamErrors.ifThere(() -> management.getConsumerInfo(stream, consumer));
    }

    /**
     * @param replicas empty for the default, which is chosen at creation: servers come and go, replicas must not follow
     */
    StreamInfo ensure(StreamConfiguration settings, OptionalInt replicas, int servers)
            throws IOException, JetStreamApiException {
        return ensure(find(settings.getName()), settings, replicas, servers);
    }

    /** As above, with the stream's configuration already read. */
    StreamInfo ensure(Optional<StreamInfo> found, StreamConfiguration settings, OptionalInt replicas, int servers)
            throws IOException, JetStreamApiException {
        final int standing =
                found.map(info -> info.getConfiguration().getReplicas()).orElse(servers >= CLUSTER ? CLUSTER : 1);
        final StreamConfiguration wanted = withCopies(settings, replicas.orElse(standing));
        if (found.isEmpty()) {
            return management.addStream(wanted);
        }
        final StreamConfiguration is = found.get().getConfiguration();
        return settled(is, wanted)
                ? found.get()
                // NATS refuses to change the persist mode of an existing stream.
                : management.updateStream(StreamConfiguration.builder(is)
                        .subjects(wanted.getSubjects())
                        .maxMessages(wanted.getMaxMsgs())
                        .maxBytes(wanted.getMaxBytes())
                        .maxAge(wanted.getMaxAge())
                        .maxMessagesPerSubject(wanted.getMaxMsgsPerSubject())
                        .replicas(wanted.getReplicas())
                        .duplicateWindow(
                                wanted.getDuplicateWindow().isZero()
                                        ? is.getDuplicateWindow()
                                        : wanted.getDuplicateWindow())
                        .discardPolicy(wanted.getDiscardPolicy())
                        .allowDirect(wanted.getAllowDirect())
                        .sources(wanted.getSources())
                        .republish(wanted.getRepublish())
                        .metadata(metadataOf(wanted))
                        .build());
    }

    private static StreamConfiguration withCopies(StreamConfiguration settings, int copies) {
        return StreamConfiguration.builder(settings)
                .replicas(copies)
                // NATS refuses this mode for a stream with several replicas.
                .persistMode(copies == 1 ? settings.getPersistMode() : null)
                .build();
    }

    /** Whether there is nothing to correct. */
    static boolean isSettled(StreamInfo found, StreamConfiguration settings, OptionalInt replicas) {
        final StreamConfiguration is = found.getConfiguration();
        return settled(is, withCopies(settings, replicas.orElse(is.getReplicas())));
    }

    private static boolean settled(StreamConfiguration is, StreamConfiguration wanted) {
        return is.getSubjects().equals(wanted.getSubjects())
                && is.getMaxMsgs() == wanted.getMaxMsgs()
                && is.getMaxBytes() == wanted.getMaxBytes()
                && is.getMaxAge().equals(wanted.getMaxAge())
                && is.getMaxMsgsPerSubject() == wanted.getMaxMsgsPerSubject()
                && is.getReplicas() == wanted.getReplicas()
                // Zero means the server's default, which it reports as two minutes.
                && (wanted.getDuplicateWindow().isZero()
                        || is.getDuplicateWindow().equals(wanted.getDuplicateWindow()))
                && is.getDiscardPolicy() == wanted.getDiscardPolicy()
                && is.getAllowDirect() == wanted.getAllowDirect()
                && copies(is).equals(copies(wanted))
                && metadataOf(is).entrySet().containsAll(metadataOf(wanted).entrySet());
    }

    /** Sources and republish settings of the stream. */
    private static String copies(StreamConfiguration configuration) {
        final List<Source> sources = configuration.getSources() == null ? List.of() : configuration.getSources();
        final Republish republish = configuration.getRepublish();
        return sources.stream().map(Source::toJson).toList() + (republish == null ? "" : republish.toJson());
    }

    /** The client returns null for a stream without metadata. */
    static Map<String, String> metadataOf(StreamConfiguration configuration) {
        return configuration.getMetadata() == null ? Map.of() : configuration.getMetadata();
    }

    ConsumerInfo ensureConsumer(String stream, ConsumerConfiguration wanted) throws IOException, JetStreamApiException {
        final Optional<ConsumerInfo> found = findConsumer(stream, wanted.getDurable());
        if (found.isEmpty()) {
            return management.createConsumer(stream, wanted);
        }
        return isSettled(found.get(), wanted)
                ? found.get()
                : management.updateConsumer(
                        stream,
                        ConsumerConfiguration.builder(found.get().getConsumerConfiguration())
                                .ackWait(wanted.getAckWait())
                                .maxAckPending(wanted.getMaxAckPending())
                                .maxDeliver(wanted.getMaxDeliver())
                                .build());
    }

    /** Whether there is nothing to correct. */
    static boolean isSettled(ConsumerInfo found, ConsumerConfiguration wanted) {
        final ConsumerConfiguration is = found.getConsumerConfiguration();
        return is.getAckWait().equals(wanted.getAckWait())
                && is.getMaxAckPending() == wanted.getMaxAckPending()
                && is.getMaxDeliver() == wanted.getMaxDeliver();
    }
}
