package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import io.nats.client.impl.Headers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/** What running workers are told without a restart: the settings of their pool. */
public final class PoolConfigs {
    private final NatsConnection nats;
    private final CasBucket<Map<String, String>> bucket;

    PoolConfigs(NatsConnection nats) {
        this.nats = nats;
        this.bucket = new CasBucket<>(nats, CasBucket.CONFIG);
    }

    /**
     * Stores a pool's settings and tells its workers, if they differ from what is stored. Costs one read when they do not.
     *
     * @throws QueueUnavailableException when NATS does not answer, or another operator wrote meanwhile: call it again
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
                        "somebody else wrote the settings of " + key + " meanwhile: looking again"));
        // Workers read from any copy of the bucket, which may be behind: they are told what to wait for.
        nats.tell(
                Subjects.poolControl(namespace, pool),
                new Headers(),
                Long.toString(revision).getBytes(StandardCharsets.US_ASCII));
    }
}
