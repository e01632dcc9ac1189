package dev.codeforge.operator.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.NatsEndpoint;
import dev.codeforge.operator.runtime.NatsSettings;
import dev.codeforge.testing.Resources;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class GivenAccessTest {
    private static final NatsEndpoint WORKERS = new NatsEndpoint("nats://nats:4222", "worker", "secret");

    private final WorkerPool first = pool("team-b", "first", "2026-11-24T09:00:00Z");
    private final WorkerPool sister = pool("team-b", "sister", "2026-11-24T11:00:00Z");
    private final WorkerPool other = pool("team-a", "other", "2026-11-24T10:00:00Z");

    @Test
    void theUserOfWorkersBelongsToTheNamespaceOfTheOldestPool() {
        final GivenAccess access = access(false);
        assertThat(access.refusal(first)).isEmpty();
        assertThat(access.refusal(sister)).isEmpty();
        assertThat(access.refusal(other)).get().asString().contains("belongs to the pools of namespace team-b");
    }

    @Test
    void allNamespacesShareItWhereThatIsSaid() {
        assertThat(access(true).refusal(other)).isEmpty();
    }

    private GivenAccess access(boolean mayBeShared) {
        return new GivenAccess(
                new NatsSettings.Given(WORKERS, WORKERS, mayBeShared), () -> Stream.of(sister, other, first));
    }

    private static WorkerPool pool(String namespace, String name, String made) {
        final WorkerPool pool = Resources.pool(namespace, name, null);
        pool.getMetadata().setCreationTimestamp(made);
        return pool;
    }
}
