package dev.codeforge.operator.pool.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.testing.Resources;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class GivenAccessTest {
    private static final NatsAccess.Password WORKERS = new NatsAccess.Password("nats://nats:4222", "worker", "secret");

    private final WorkerPool first = pool("team-b", "first", "2026-11-24T09:00:00Z");
    private final WorkerPool sister = pool("team-b", "sister", "2026-11-24T11:00:00Z");
    private final WorkerPool other = pool("team-a", "other", "2026-11-24T10:00:00Z");

    @Test
    void theUserOfWorkersBelongsToTheNamespaceOfTheOldestPool() {
        final GivenAccess access = access(false);
        assertThat(access.refusal(first)).isEmpty();
        assertThat(access.refusal(sister)).isEmpty();
        assertThat(access.refusal(other).map(AccessRefusal::message))
                .get()
                .asString()
                .contains("belongs to the pools of namespace team-b", "Set nats.sharedUser");
    }

    @Test
    void allNamespacesShareItWhereThatIsSaid() {
        assertThat(access(true).refusal(other)).isEmpty();
    }

    @Test
    void theWallSaysWhoSharesTheUser() {
        assertThat(access(false).wall(first).reason()).isEqualTo(Reason.SharedNatsUser);
        assertThat(access(false).wall(first).sentence()).contains("of all pools of this namespace are one user");
        assertThat(access(true).wall(first).sentence()).contains("of all pools are one user");
        final NatsAccess.Password nobody = new NatsAccess.Password("nats://nats:4222", "", "");
        assertThat(access(nobody, true).wall(first).sentence()).contains("NATS asks nobody for a user");
    }

    private GivenAccess access(boolean mayBeShared) {
        return access(WORKERS, mayBeShared);
    }

    private GivenAccess access(NatsAccess.Password workers, boolean mayBeShared) {
        return new GivenAccess(
                new NatsSettings.Given(workers, workers, mayBeShared), () -> Stream.of(sister, other, first));
    }

    private static WorkerPool pool(String namespace, String name, String made) {
        final WorkerPool pool = Resources.pool(namespace, name, null);
        pool.getMetadata().setCreationTimestamp(made);
        return pool;
    }
}
