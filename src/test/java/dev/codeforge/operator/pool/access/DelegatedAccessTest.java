package dev.codeforge.operator.pool.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.identity.DelegatedAccount;
import dev.codeforge.identity.DelegatedAccounts;
import dev.codeforge.identity.Key;
import dev.codeforge.identity.Login;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.testing.ForeignOperator;
import dev.codeforge.testing.ForeignOperator.Handed;
import dev.codeforge.testing.Resources;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class DelegatedAccessTest {
    private static final Instant NOW = Instant.parse("2026-11-24T09:00:00Z");
    private static final WorkerPool POOL = Resources.pool("team-a", "pool", null);

    private final ForeignOperator owner = new ForeignOperator();
    private final String operator = owner.streamsUser("codeforge");

    @Test
    void anAccountOfTheNamespaceAloneHoldsAgainstAllOthers() {
        final NatsWall wall = access(Map.of("team-a", owner.workers("A")), Optional.of(owner.workers("WORKERS")))
                .wall(POOL);
        assertThat(wall.reason()).isEqualTo(Reason.Confined);
        assertThat(wall.sentence())
                .contains("in an account of its namespace alone")
                .endsWith("cannot be revoked, and is valid for 3600 s.");
    }

    @Test
    void anAccountThatNamespacesShareHoldsForStreamsOnly() {
        final NatsWall wall =
                access(Map.of(), Optional.of(owner.workers("WORKERS"))).wall(POOL);
        assertThat(wall.reason()).isEqualTo(Reason.SharedNatsAccount);
        assertThat(wall.sentence()).contains("reaches no stream of theirs", "such as control");
        final Handed two = owner.workers("TWO");
        assertThat(access(Map.of("team-a", two, "team-b", two), Optional.empty())
                        .wall(POOL)
                        .reason())
                .isEqualTo(Reason.SharedNatsAccount);
    }

    @Test
    void anAccountThatNamespacesShareHoldsNothingWhereItHasJetStream() {
        final NatsWall wall = access(Map.of(), Optional.of(owner.workersWithJetStream("WORKERS")))
                .wall(POOL);
        assertThat(wall.reason()).isEqualTo(Reason.SharedStreamsAccount);
        assertThat(wall.sentence()).contains("store and read what their workers receive");
    }

    @Test
    void theAccountWithTheStreamsHoldsNothing() {
        final NatsWall wall = access(Map.of("team-a", owner.streamsWithKey()), Optional.empty())
                .wall(POOL);
        assertThat(wall.reason()).isEqualTo(Reason.SharedStreamsAccount);
        assertThat(wall.sentence()).contains("read and delete every pool's tasks");
    }

    @Test
    void aPoolKeepsItsCredentialWhileItIsFreshAndANamesakeHasAnother() {
        final DelegatedAccess access = access(Map.of(), Optional.of(owner.workers("WORKERS")));
        final AccessMemory memory = new AccessMemory();
        final String credential = access.secret(POOL, memory).get("nats.creds");
        assertThat(access.secret(POOL, memory).get("nats.creds")).isEqualTo(credential);
        final WorkerPool namesake = Resources.pool("team-a", "pool", null);
        namesake.getMetadata().setUid("another");
        assertThat(access.secret(namesake, new AccessMemory()).get("nats.creds"))
                .isNotEqualTo(credential);
    }

    private DelegatedAccess access(Map<String, Handed> own, Optional<Handed> workers) {
        final Map<String, DelegatedAccount> accounts =
                own.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, of -> account(of.getValue())));
        return new DelegatedAccess(
                new NatsSettings.AccountSigningKey(
                        new NatsAccess.CredentialsFile("nats://nats:4222", Path.of("operator.creds")),
                        new DelegatedAccounts(
                                Login.accountOf(operator), accounts, workers.map(DelegatedAccessTest::account)),
                        Duration.ofHours(1)),
                Clock.fixed(NOW, ZoneOffset.UTC));
    }

    private static DelegatedAccount account(Handed handed) {
        return DelegatedAccount.of(handed.jwt(), Key.ofAccount(handed.seed()));
    }
}
