package dev.codeforge.jetstream;

import dev.codeforge.wire.PoolConfig;
import dev.codeforge.wire.Subjects;
import io.nats.client.PublishOptions;
import io.nats.client.api.MessageInfo;
import io.nats.client.impl.NatsMessage;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/** {@link PoolConfigs} in a key-value bucket, so that people may look into it by {@code nats kv}. */
final class NatsPoolConfigs implements PoolConfigs {
    static final String STREAM = "KV_config";
    static final String SUBJECTS = "$KV.config.>";

    private final NatsConnection nats;
    private final StreamMessages leader;

    NatsPoolConfigs(NatsConnection nats) {
        this.nats = nats;
        this.leader = new StreamMessages(nats);
    }

    @Override
    public void keep(String namespace, String pool, Map<String, String> settings) {
        final String subject = Subjects.poolConfig(namespace, pool);
        final Optional<MessageInfo> stored = leader.lastKept(STREAM, subject);
        final Map<String, String> before =
                stored.map(message -> PoolConfig.parse(message.getData())).orElse(Map.of());
        if (settings.equals(before)) {
            return;
        }
        final PublishOptions options = PublishOptions.builder()
                .expectedStream(STREAM)
                .expectedLastSubjectSequence(stored.map(MessageInfo::getSeq).orElse(0L))
                .build();
        final NatsMessage message = NatsMessage.builder()
                .subject(subject)
                .data(PoolConfig.toJson(settings))
                .build();
        final long revision = FencedWrite.of(nats, message, options, "from the config bucket")
                .orElseThrow(() ->
                        new QueueUnavailableException("somebody else wrote " + subject + " meanwhile: looking again"));
        // Workers read from any copy of the bucket, which may be behind: they are told what to wait for.
        nats.tell(Subjects.poolControl(namespace, pool), Long.toString(revision).getBytes(StandardCharsets.US_ASCII));
    }
}
