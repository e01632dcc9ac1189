package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.api.DiscardPolicy;
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
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * The object store buckets of pools, where workers store what is too large for a result. Objects are written once;
 * people can read them with {@code nats object}. Every method throws {@link QueueUnavailableException} when NATS does
 * not answer.
 */
public final class Files {
    /** As long as an outcome can be adopted by its idempotency key. */
    private static final Duration RETENTION = CasBucket.LEDGER.retention();

    /** A worker writes this id, and it becomes part of a subject. */
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9]{1,64}\\.\\*");

    private final NatsConnection nats;
    private final StreamMessages leader;

    Files(NatsConnection nats) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
    }

    /**
     * The wanted configuration of a pool's bucket.
     *
     * @param maxBytes its capacity; NATS reserves it, and a full bucket refuses
     * @param replicas copies; empty for 3 on a cluster of three or more servers, else 1
     */
    public record Settings(String namespace, String pool, long maxBytes, OptionalInt replicas, StreamOwner owner) {}

    /**
     * Creates the pool's bucket, or corrects its configuration. A correct bucket costs one read.
     *
     * @throws QueueRefusedException when there is no space for it, or another installation has one of that name
     */
    public void ensure(Settings settings) {
        try {
            nats.manage(management -> ensure(management, settings));
        } catch (JetStreamApiException e) {
            throw JetStreamErrors.refusedOrUnavailable("the bucket", e);
        }
    }

    private StreamInfo ensure(JetStreamManagement management, Settings settings)
            throws IOException, JetStreamApiException {
        final StreamKeeper keeper = new StreamKeeper(management);
        final String stream = Subjects.filesStream(settings.namespace(), settings.pool());
        final Optional<StreamInfo> found = keeper.find(stream);
        if (found.isPresent() && !settings.owner().installation().equals(owner(found.get()))) {
            throw new QueueRefusedException(stream + " is not of this installation", null);
        }
        return keeper.ensure(
                found,
                configuration(stream, settings),
                settings.replicas(),
                nats.connected().getServers().size());
    }

    /** One message per subject and no rollups: objects can be neither overwritten nor purged by a publisher. */
    private static StreamConfiguration configuration(String stream, Settings settings) {
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
                .metadata(settings.owner().metadata())
                .build();
    }

    private static String owner(StreamInfo info) {
        return StreamKeeper.metadataOf(info.getConfiguration()).getOrDefault(StreamOwner.INSTALLATION, "");
    }

    /** Removes one file of the pool. A missing file or bucket is no error. */
    public void forget(String namespace, String pool, String name) {
        final String stream = Subjects.filesStream(namespace, pool);
        final String subjects = "$O." + Subjects.filesBucket(namespace, pool);
        final String description =
                subjects + ".M." + Base64.getUrlEncoder().encodeToString(name.getBytes(StandardCharsets.UTF_8));
        leader.last(stream, description).ifPresent(standing -> {
            // The description last: after an interruption it is still there, and the removal can be repeated.
            final String id = new ObjectInfo(standing).getNuid();
            if (id != null && ID.matcher(id).matches()) {
                leader.purge(stream, subjects + ".C." + id);
            }
            leader.purge(stream, description);
        });
    }

    /** Deletes the pool's bucket with its contents. A missing bucket, or one of another installation, is no error. */
    public void remove(String namespace, String pool, String installation) {
        final String stream = Subjects.filesStream(namespace, pool);
        nats.ask(management -> new StreamKeeper(management)
                        .find(stream)
                        .filter(info -> installation.equals(owner(info)))
                        .isPresent()
                && management.deleteStream(stream));
    }
}
