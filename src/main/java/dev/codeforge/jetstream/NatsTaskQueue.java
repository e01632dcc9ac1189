package dev.codeforge.jetstream;

import dev.codeforge.wire.Headers;
import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskMessage;
import dev.codeforge.wire.UnreadableMessageException;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.PublishOptions;
import io.nats.client.api.AckPolicy;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.ConsumerInfo;
import io.nats.client.api.DeliverPolicy;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.PublishAck;
import io.nats.client.api.RetentionPolicy;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamInfo;
import io.nats.client.api.StreamInfoOptions;
import io.nats.client.impl.NatsMessage;
import java.io.IOException;
import java.time.ZonedDateTime;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** {@link TaskQueue} over jnats. */
final class NatsTaskQueue implements TaskQueue {
    /** Room for the headers that the client adds: message id and expectations. */
    private static final int OWN_HEADERS = 512;

    /** Only a bound against crash loops. A task's deliveries are counted by its events. */
    private static final long CRASH_BOUND = 100;

    private final NatsConnection nats;
    private final StreamMessages leader;

    NatsTaskQueue(NatsConnection nats) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
    }

    @Override
    public Sample ensure(Settings settings) {
        try {
            return nats.manage(management -> ensure(management, settings));
        } catch (JetStreamApiException e) {
            throw e.getApiErrorCode() == JetStreamErrors.SUBJECTS_OVERLAP
                    ? new SubjectTakenException(settings.subject(), ownerOf(settings))
                    : JetStreamErrors.refusedOrUnavailable("the queue's settings", e);
        }
    }

    private Sample ensure(JetStreamManagement management, Settings settings) throws IOException, JetStreamApiException {
        final StreamKeeper keeper = new StreamKeeper(management);
        final Optional<StreamInfo> found = findOurs(keeper, settings);
        keeper.ensure(
                found,
                streamConfiguration(settings),
                settings.replicas(),
                nats.connected().getServers().size());
        final ConsumerInfo consumer = keeper.ensureConsumer(settings.stream(), consumerConfiguration(settings));
        if (settings.paused() && !consumer.getPaused()) {
            management.pauseConsumer(
                    settings.stream(),
                    Subjects.WORKERS_DURABLE,
                    ZonedDateTime.now().plusYears(10));
        } else if (!settings.paused() && consumer.getPaused()) {
            management.resumeConsumer(settings.stream(), Subjects.WORKERS_DURABLE);
        }
        return new Sample(consumer.getNumPending(), consumer.getNumAckPending(), settings.paused());
    }

    @Override
    public Optional<Inspection> inspect(Settings wanted) {
        return nats.ask(management -> {
            final StreamKeeper keeper = new StreamKeeper(management);
            final Optional<StreamInfo> stream = findOurs(keeper, wanted);
            if (stream.isEmpty()) {
                return Optional.empty();
            }
            final boolean settled =
                    StreamKeeper.isSettled(stream.get(), streamConfiguration(wanted), wanted.replicas());
            return keeper.findConsumer(wanted.stream(), Subjects.WORKERS_DURABLE)
                    .map(consumer -> new Inspection(
                            sample(consumer),
                            settled && StreamKeeper.isSettled(consumer, consumerConfiguration(wanted))));
        });
    }

    private static Optional<StreamInfo> findOurs(StreamKeeper keeper, Settings settings)
            throws IOException, JetStreamApiException {
        final Optional<StreamInfo> found = keeper.find(settings.stream());
        final Optional<String> another = found.map(
                        info -> StreamKeeper.metadataOf(info.getConfiguration()).get(StreamOwner.INSTALLATION))
                .filter(owner -> !owner.equals(settings.owner().installation()));
        if (another.isPresent()) {
            throw new SubjectTakenException(
                    settings.subject(), settings.stream() + " of another installation (" + another.get() + ")");
        }
        return found;
    }

    private static ConsumerConfiguration consumerConfiguration(Settings settings) {
        return ConsumerConfiguration.builder()
                .durable(Subjects.WORKERS_DURABLE)
                .ackPolicy(AckPolicy.Explicit)
                .deliverPolicy(DeliverPolicy.All)
                .ackWait(settings.ackWait())
                .maxDeliver(CRASH_BOUND)
                .maxAckPending(settings.maxAckPending())
                .metadata(Map.of(StreamOwner.INSTALLATION, settings.owner().installation()))
                .build();
    }

    private static StreamConfiguration streamConfiguration(Settings settings) {
        return StreamConfiguration.builder()
                .name(settings.stream())
                .subjects(settings.subject(), settings.subject() + ".*")
                .retentionPolicy(RetentionPolicy.WorkQueue)
                .storageType(settings.inMemory() ? StorageType.Memory : StorageType.File)
                .discardPolicy(DiscardPolicy.New)
                .maxMessages(settings.maxMessages().orElse(-1))
                .maxBytes(settings.maxBytes().orElse(-1))
                .allowDirect(true)
                .metadata(settings.owner().metadata())
                .build();
    }

    private String ownerOf(Settings settings) {
        return nats.ask(management -> {
            for (final String subject : new String[] {settings.subject(), settings.subject() + ".*"}) {
                for (final String name : management.getStreamNames(subject)) {
                    if (!name.equals(settings.stream())) {
                        return name;
                    }
                }
            }
            return "";
        });
    }

    @Override
    public Optional<Sample> sample(String stream) {
        return nats.ask(management -> new StreamKeeper(management).findConsumer(stream, Subjects.WORKERS_DURABLE))
                .map(NatsTaskQueue::sample);
    }

    private static Sample sample(ConsumerInfo consumer) {
        return new Sample(consumer.getNumPending(), consumer.getNumAckPending(), consumer.getPaused());
    }

    @Override
    public Optional<StandingMessage> standing(String stream, String subject) {
        return leader.last(stream, subject).map(NatsTaskQueue::read);
    }

    @Override
    public Optional<QueuedTask> at(String stream, long sequence) {
        return leader.at(stream, sequence).map(QueueCensus::task);
    }

    @Override
    public Optional<QueueCensus> census(String stream) {
        return QueueCensus.take(nats, stream);
    }

    private static StandingMessage read(MessageInfo message) {
        final io.nats.client.impl.Headers headers =
                message.getHeaders() == null ? new io.nats.client.impl.Headers() : message.getHeaders();
        return new StandingMessage(
                message.getSeq(),
                first(headers, Headers.INSTALLATION),
                first(headers, Headers.NAMESPACE),
                first(headers, Headers.NAME),
                attemptOf(message.getData()));
    }

    private static String first(io.nats.client.impl.Headers headers, String name) {
        final String value = headers.getFirst(name);
        return value == null ? "" : value;
    }

    private static int attemptOf(byte[] body) {
        try {
            return TaskMessage.parse(body == null ? new byte[0] : body).attempt();
        } catch (UnreadableMessageException e) {
            return 0;
        }
    }

    @Override
    public PublishOutcome publish(String stream, OutgoingTask task) {
        final io.nats.client.impl.Headers headers = new io.nats.client.impl.Headers();
        task.headers().forEach(headers::put);
        final long bytes = (long) task.body().length + headers.serializedLength() + OWN_HEADERS;
        final long most = nats.connected().getMaxPayload();
        if (bytes > most) {
            // The server would close the connection, which the whole operator shares.
            return new PublishOutcome.TooLarge(bytes, most);
        }
        final PublishOptions options = PublishOptions.builder()
                .messageId(task.messageId())
                .expectedStream(stream)
                .expectedLastSubjectSequence(0)
                .build();
        try {
            final PublishAck ack = nats.publish(
                    NatsMessage.builder()
                            .subject(task.subject())
                            .headers(headers)
                            .data(task.body())
                            .build(),
                    options);
            return ack.isDuplicate()
                    ? new PublishOutcome.Duplicate(ack.getSeqno())
                    : new PublishOutcome.Stored(ack.getSeqno());
        } catch (JetStreamApiException e) {
            return switch (e.getApiErrorCode()) {
                case JetStreamErrors.WRONG_LAST_SEQUENCE, JetStreamErrors.OVERTAKEN -> new PublishOutcome.Occupied();
                case JetStreamErrors.STREAM_FULL -> new PublishOutcome.Full();
                case JetStreamErrors.OTHER_STREAM_EXPECTED -> new PublishOutcome.NoQueue();
                default -> throw JetStreamErrors.unavailable(stream, e);
            };
        } catch (QueueUnavailableException e) {
            if (JetStreamErrors.saysNobodyListens(e)) {
                return new PublishOutcome.NoQueue();
            }
            throw e;
        }
    }

    @Override
    public void purge(String stream, String subject) {
        leader.purge(stream, subject);
    }

    @Override
    public void remove(String stream, long sequence) {
        leader.remove(stream, sequence);
    }

    @Override
    public Set<String> standingSubjects(String stream) {
        return nats.find(management -> Set.copyOf(management
                        .getStreamInfo(stream, StreamInfoOptions.allSubjects())
                        .getStreamState()
                        .getSubjectMap()
                        .keySet()))
                .orElse(Set.of());
    }

    @Override
    public boolean owns(String stream, String installation) {
        return nats.ask(management -> new StreamKeeper(management)
                .find(stream)
                .map(info -> StreamKeeper.metadataOf(info.getConfiguration()).get(StreamOwner.INSTALLATION))
                .filter(installation::equals)
                .isPresent());
    }

    @Override
    public void delete(String stream) {
        nats.find(management -> management.deleteStream(stream));
    }
}
