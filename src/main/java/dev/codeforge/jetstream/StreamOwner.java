package dev.codeforge.jetstream;

import io.nats.client.api.StreamConfiguration;
import java.util.Map;
import java.util.Optional;

/**
 * The owner of a pool's stream or bucket, from its metadata.
 *
 * @param installation UID of the cluster
 * @param retained it is kept when its pool is deleted
 */
public record StreamOwner(String installation, boolean retained) {
    static final String INSTALLATION = "codeforge.dev/installation";
    private static final String RETAINED = "codeforge.dev/retained";

    Map<String, String> metadata() {
        return Map.of(INSTALLATION, installation, RETAINED, Boolean.toString(retained));
    }

    /** Empty for a stream with incomplete metadata: one of an earlier version does not say whether it is to be kept. */
    static Optional<StreamOwner> of(StreamConfiguration configuration) {
        final Map<String, String> metadata = StreamKeeper.metadataOf(configuration);
        return Optional.ofNullable(metadata.get(RETAINED))
                .map(retained ->
                        new StreamOwner(metadata.getOrDefault(INSTALLATION, ""), Boolean.parseBoolean(retained)));
    }
}
