package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamInfo;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The streams and buckets of all pools, deleted pools included. */
public final class PoolStreams {
    private final NatsConnection nats;

    PoolStreams(NatsConnection nats) {
        this.nats = nats;
    }

    /** A stream that was created for a pool. */
    public record PoolStream(String name, String namespace, String pool, StreamOwner owner) {
        /** Names in Kubernetes have no underscore. */
        private static final Pattern NAME = Pattern.compile("(?:tasks|OBJ_files)_([^_]+)_([^_]+)");

        /** True for the stream of tasks, false for the bucket of files. */
        public boolean isQueue() {
            return name.equals(Subjects.poolStream(namespace, pool));
        }

        static Optional<PoolStream> of(StreamConfiguration configuration) {
            final Matcher name = NAME.matcher(configuration.getName());
            return name.matches()
                    ? StreamOwner.of(configuration)
                            .map(owner -> new PoolStream(configuration.getName(), name.group(1), name.group(2), owner))
                    : Optional.empty();
        }
    }

    /**
     * The streams of this installation, without those of an earlier version whose pool has not been reconciled since.
     */
    public List<PoolStream> of(String installation) {
        return nats.ask(management -> management.getStreams().stream()
                .map(StreamInfo::getConfiguration)
                .flatMap(configuration -> PoolStream.of(configuration).stream())
                .filter(stream -> stream.owner().installation().equals(installation))
                .toList());
    }

    /** Deletes the stream with its contents. A missing stream is no error. */
    public void delete(PoolStream stream) {
        nats.find(management -> management.deleteStream(stream.name()));
    }
}
