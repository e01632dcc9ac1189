package dev.codeforge.operator.pool.access;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.status.Reason;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * One user for the workers of all pools, which the server's owner has created.
 *
 * @param pools all pools, as the operator's cache has them
 */
public record GivenAccess(NatsSettings.Given settings, Supplier<Stream<WorkerPool>> pools) implements WorkerAccess {
    /** The user opens every pool. Pools of one namespace trust each other; a setting must allow other namespaces. */
    @Override
    public Optional<AccessRefusal> refusal(WorkerPool pool) {
        if (settings.mayBeShared()) {
            return Optional.empty();
        }
        final String namespace = pool.getMetadata().getNamespace();
        return pools.get()
                .map(WorkerPool::getMetadata)
                .min(Comparator.comparing(ObjectMeta::getCreationTimestamp).thenComparing(ObjectMeta::getNamespace))
                .map(ObjectMeta::getNamespace)
                .filter(first -> !first.equals(namespace))
                .map(first -> new AccessRefusal(
                        Reason.SharedNatsUser,
                        "the workers' NATS user belongs to the pools of namespace " + first
                                + ", which has the oldest pool"));
    }

    @Override
    public Optional<String> trouble(AccessMemory memory) {
        return Optional.empty();
    }

    @Override
    public NatsWall wall(WorkerPool pool) {
        if (settings.workers().username().isEmpty()) {
            return new NatsWall(
                    Reason.SharedNatsUser,
                    "NATS asks nobody for a user: whoever reaches it can read and delete every pool's tasks.");
        }
        return new NatsWall(
                Reason.SharedNatsUser,
                "In NATS workers of all pools" + (settings.mayBeShared() ? "" : " of this namespace")
                        + " are one user: one that is taken over can take every task of these pools and write its outcome.");
    }

    @Override
    public Map<String, String> secret(WorkerPool pool, AccessMemory memory) {
        final NatsAccess.Password workers = settings.workers();
        return Map.of("url", workers.url(), "username", workers.username(), "password", workers.password());
    }

    @Override
    public void withdraw(WorkerPool pool, AccessMemory memory, boolean namespaceEnds) {
        // Other pools use the same user.
    }
}
