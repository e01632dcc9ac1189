package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.PurgeOptions;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.ObjectInfo;
import io.nats.client.api.RetentionPolicy;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;

/** {@link Files} in NATS object stores that are written once, so that people may look into them by {@code nats object}. */
final class NatsFiles implements Files {
    /** As long as an outcome can be adopted by its idempotency key. */
    private static final Duration RETENTION = SharedStreams.LEDGER_RETENTION;

    /** A worker wrote it, and it becomes part of a subject. */
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9]{1,64}\\.\\*");

    private final NatsConnection nats;
    private final StreamMessages leader;

    NatsFiles(NatsConnection nats) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
    }

    @Override
    public void ensure(FilesSettings settings) {
        try {
            nats.manage(management -> ensure(management, settings));
        } catch (JetStreamApiException e) {
            throw e.getApiErrorCode() == ApiErrors.INSUFFICIENT_STORAGE || e.getErrorCode() < 500
                    ? new QueueRefusedException("JetStream refuses the bucket: " + e.getMessage(), e)
                    : new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
        }
    }

    private StreamInfo ensure(JetStreamManagement management, FilesSettings settings)
            throws IOException, JetStreamApiException {
        final StreamKeeper keeper = new StreamKeeper(management);
        final String stream = Subjects.filesStream(settings.namespace(), settings.pool());
        final Optional<StreamInfo> found = keeper.find(stream);
        if (found.isPresent() && !settings.installation().equals(owner(found.get()))) {
            throw new QueueRefusedException(stream + " is not of this installation", null);
        }
        return keeper.ensure(
                found,
                configuration(stream, settings),
                settings.replicas(),
                nats.connected().getServers().size());
    }

    /** One message a subject and no more, and no rollups: what stands can be neither written over nor swept away. */
    private static StreamConfiguration configuration(String stream, FilesSettings settings) {
        final String subjects = "$O." + Subjects.filesBucket(settings.namespace(), settings.pool());
        return StreamConfiguration.builder()
                .name(stream)
                .description("Files of WorkerPool " + settings.namespace() + "/" + settings.pool())
                .subjects(subjects + ".C.>", subjects + ".M.>")
                .retentionPolicy(RetentionPolicy.Limits)
                .storageType(StorageType.File)
                .discardPolicy(DiscardPolicy.New)
                .discardNewPerSubject(true)
                .maxMessagesPerSubject(1)
                .maxAge(RETENTION)
                .maxBytes(settings.maxBytes())
                .allowDirect(true)
                .metadata(StreamKeeper.metadata(settings.installation()))
                .build();
    }

    private static String owner(StreamInfo info) {
        return StreamKeeper.metadataOf(info.getConfiguration()).getOrDefault(StreamKeeper.INSTALLATION, "");
    }

    @Override
    public void forget(String namespace, String pool, String name) {
        final String stream = Subjects.filesStream(namespace, pool);
        final String subjects = "$O." + Subjects.filesBucket(namespace, pool);
        final String description =
                subjects + ".M." + Base64.getUrlEncoder().encodeToString(name.getBytes(StandardCharsets.UTF_8));
        try {
            final Optional<MessageInfo> standing = leader.last(stream, description);
            if (standing.isPresent()) {
                // The description last: cut before, this is begun again.
                final String id = new ObjectInfo(standing.get()).getNuid();
                if (id != null && ID.matcher(id).matches()) {
                    nats.manage(
                            management -> management.purgeStream(stream, PurgeOptions.subject(subjects + ".C." + id)));
                }
                nats.manage(management -> management.purgeStream(stream, PurgeOptions.subject(description)));
            }
        } catch (JetStreamApiException e) {
            if (e.getApiErrorCode() != ApiErrors.STREAM_NOT_FOUND) {
                throw new QueueUnavailableException("JetStream answered: " + e.getMessage(), e);
            }
        }
    }

    @Override
    public void remove(String namespace, String pool, String installation) {
        final String stream = Subjects.filesStream(namespace, pool);
        nats.ask(management -> new StreamKeeper(management)
                        .find(stream)
                        .filter(info -> installation.equals(owner(info)))
                        .isPresent()
                && management.deleteStream(stream));
    }
}
