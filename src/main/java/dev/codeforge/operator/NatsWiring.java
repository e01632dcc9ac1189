package dev.codeforge.operator;

import dev.codeforge.identity.AccountPlanner;
import dev.codeforge.identity.Login;
import dev.codeforge.identity.Mint;
import dev.codeforge.jetstream.Accounts;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.jetstream.NatsConnections;
import dev.codeforge.operator.index.PoolIndex;
import dev.codeforge.operator.pool.access.AccountSweep;
import dev.codeforge.operator.pool.access.DelegatedAccess;
import dev.codeforge.operator.pool.access.GivenAccess;
import dev.codeforge.operator.pool.access.PoolIdentities;
import dev.codeforge.operator.pool.access.SharedAccounts;
import dev.codeforge.operator.pool.access.WorkerAccess;
import dev.codeforge.operator.secrets.NatsIdentity;
import dev.codeforge.operator.settings.NatsSettings;
import dev.codeforge.operator.sweep.Sweep;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/**
 * The operator's connection to NATS and the workers' users, depending on who creates the server's users.
 *
 * @param sweeps that keep the server's accounts correct
 */
record NatsWiring(Connections connections, WorkerAccess access, List<Sweep> sweeps) {

    /**
     * @param namespace the operator's own, where its keys are
     * @param installation the cluster's id
     */
    static NatsWiring of(
            NatsSettings nats,
            KubernetesClient client,
            String namespace,
            String installation,
            PoolIndex pools,
            Clock clock) {
        return switch (nats) {
            case NatsSettings.Given given ->
                new NatsWiring(
                        new NatsConnections(given.operator(), installation),
                        new GivenAccess(given, pools::list),
                        List.of());
            case NatsSettings.AccountSigningKey delegated ->
                new NatsWiring(
                        new NatsConnections(delegated.operator(), installation),
                        new DelegatedAccess(delegated, clock),
                        List.of());
            case NatsSettings.Minted minted -> {
                final Mint mint = mint(NatsIdentity.readOrCreate(client, namespace, clock), client, namespace);
                final Accounts accounts =
                        new Accounts(NatsAccess.Minted.of(minted.url(), () -> mint.system(clock.instant())));
                final NatsAccess operator =
                        NatsAccess.Minted.of(minted.url(), () -> mint.streams("operator", clock.instant()));
                yield minted(
                        operator,
                        installation,
                        client,
                        accounts,
                        mint,
                        minted.url(),
                        minted.credentialLifetime(),
                        clock);
            }
            case NatsSettings.OperatorSigningKey trusted -> {
                final NatsIdentity identity = NatsIdentity.readOrCreate(client, namespace, clock);
                final Mint mint = mint(identity.signedBy(trusted.signing()), client, namespace);
                final Accounts accounts = new Accounts(trusted.system());
                final SharedAccounts shared = new SharedAccounts(accounts, new AccountPlanner(mint, clock));
                final Login login = mint.streams("operator", clock.instant());
                final NatsAccess operator = new NatsAccess.Minted(trusted.url(), login.key(), () -> {
                    shared.keepIfPossible();
                    return login.jwt();
                });
                yield minted(
                        operator,
                        installation,
                        client,
                        accounts,
                        mint,
                        trusted.url(),
                        trusted.credentialLifetime(),
                        clock);
            }
        };
    }

    private static Mint mint(NatsIdentity identity, KubernetesClient client, String namespace) {
        identity.applyUsers(client, namespace);
        return identity.mint();
    }

    private static NatsWiring minted(
            NatsAccess operator,
            String installation,
            KubernetesClient client,
            Accounts accounts,
            Mint mint,
            String url,
            Duration credentialLifetime,
            Clock clock) {
        final Connections connections = new NatsConnections(operator, installation);
        return new NatsWiring(
                connections,
                new PoolIdentities(client, connections, accounts, mint, url, credentialLifetime, clock),
                List.of(new AccountSweep(client, accounts, new AccountPlanner(mint, clock))));
    }
}
