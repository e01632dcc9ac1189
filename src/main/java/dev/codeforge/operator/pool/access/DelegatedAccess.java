package dev.codeforge.operator.pool.access;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.identity.Credential;
import dev.codeforge.identity.CredentialPlanner;
import dev.codeforge.identity.DelegatedAccount;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.status.Reason;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;

/** A user for each pool, in accounts of the server's owner, who has given the operator signing keys of them. */
public final class DelegatedAccess implements WorkerAccess {
    private final NatsSettings.AccountSigningKey settings;
    private final CredentialPlanner planner;

    public DelegatedAccess(NatsSettings.AccountSigningKey settings, Clock clock) {
        this.settings = settings;
        this.planner = new CredentialPlanner(settings.credentialLifetime(), clock);
    }

    @Override
    public Optional<AccessRefusal> refusal(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        return settings.accounts().find(namespace).isPresent()
                ? Optional.empty()
                : Optional.of(new AccessRefusal(
                        Reason.NatsAccountMissing,
                        "the connection Secret has neither the keys 'account-" + namespace + ".jwt' and 'account-"
                                + namespace + ".nk' nor 'workers.jwt' and 'workers.nk'"));
    }

    @Override
    public Optional<String> trouble(AccessMemory memory) {
        return Optional.empty();
    }

    @Override
    public NatsWall wall(WorkerPool pool) {
        final String namespace = pool.getMetadata().getNamespace();
        if (refusal(pool).isPresent()) {
            return new NatsWall(Reason.Confined, "In NATS the pool has no user.");
        }
        return switch (settings.accounts().bound(namespace)) {
            case NAMESPACE ->
                new NatsWall(
                        Reason.Confined,
                        "In NATS the pool is a user of its own, in an account of its namespace alone."
                                + untilItExpires());
            case ACCOUNT ->
                new NatsWall(
                        Reason.SharedNatsAccount,
                        "In NATS the pool is a user of its own, in an account without JetStream that other namespaces"
                                + " share: one that is taken over reaches no stream of theirs, but can send answers meant"
                                + " for it to their subjects, such as control." + untilItExpires());
            case ACCOUNT_WITH_JETSTREAM ->
                new NatsWall(
                        Reason.SharedStreamsAccount,
                        "In NATS the pool is a user of its own, in an account that other namespaces share and that has"
                                + " JetStream: one that is taken over can have it store and read what their workers"
                                + " receive." + untilItExpires());
            case ACCOUNT_WITH_STREAMS ->
                new NatsWall(
                        Reason.SharedStreamsAccount,
                        "In NATS the pool is a user of its own, in the account that has the streams: one that is taken"
                                + " over can have JetStream read and delete every pool's tasks." + untilItExpires());
        };
    }

    private String untilItExpires() {
        return " Its credential cannot be revoked, and is valid for "
                + settings.credentialLifetime().toSeconds() + " s.";
    }

    @Override
    public Map<String, String> secret(WorkerPool pool, AccessMemory memory) {
        final String namespace = pool.getMetadata().getNamespace();
        final DelegatedAccount account = settings.accounts()
                .find(namespace)
                .orElseThrow(() ->
                        new IllegalStateException(refusal(pool).orElseThrow().message()));
        final Credential credential = planner.plan(
                memory.credential(),
                (now, lifetime) -> account.worker(namespace, PoolIdentities.identity(pool), now, lifetime));
        memory.credential(credential);
        return Map.of("url", settings.url(), PoolIdentities.CREDENTIAL, credential.file());
    }

    @Override
    public void withdraw(WorkerPool pool, AccessMemory memory, boolean namespaceEnds) {
        // Only the holder of the server's operator key can change an account. The credential expires by itself.
    }
}
