package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.NatsEndpoint;
import dev.codeforge.operator.runtime.NatsSettings;
import java.util.Map;

/** One user for the workers of all pools, which somebody else has made. */
public record GivenAccess(NatsSettings.Given settings) implements WorkerAccess {
    @Override
    public Map<String, String> secret(WorkerPool pool) {
        final NatsEndpoint workers = settings.workers();
        return Map.of("url", workers.url(), "username", workers.username(), "password", workers.password());
    }

    @Override
    public void withdraw(WorkerPool pool, boolean namespaceEnds) {
        // Others use it too.
    }

    @Override
    public void forget(WorkerPool pool) {
        // Nothing is known of single pools.
    }
}
