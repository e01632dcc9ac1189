package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.impl.Headers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/** Sends pools' settings to running workers, without a restart. */
public final class PoolConfigs {
    private final NatsConnection nats;
    private final CasBucket<Map<String, String>> bucket;

    PoolConfigs(NatsConnection nats) {
        this.nats = nats;
        this.bucket = new CasBucket<>(nats, CasBucket.CONFIG);
    }

    /**
     * Stores a pool's settings and notifies its workers, if the settings differ from the stored ones. Costs one read if
     * they do not.
     *
     * @throws QueueUnavailableException when NATS does not answer, or another operator wrote in between: call it again
     */
    public void keep(String namespace, String pool, Map<String, String> settings) {
        final String key = Subjects.poolConfigKey(namespace, pool);
        final Optional<CasBucket.Entry<Map<String, String>>> stored = bucket.read(key);
        if (settings.equals(stored.map(CasBucket.Entry::record).orElse(Map.of()))) {
            return;
        }
        final long revision = bucket.write(
                        key, settings, stored.map(CasBucket.Entry::revision).orElse(0L))
                .orElseThrow(() -> new QueueUnavailableException(
                        "another operator wrote the settings of " + key + " in between: reconciling again"));
        // Workers read from any replica of the bucket, which may lag. The notice has the revision that they wait for.
        nats.tell(
                Subjects.poolControl(namespace, pool),
                new Headers(),
                Long.toString(revision).getBytes(StandardCharsets.US_ASCII));
    }
}
