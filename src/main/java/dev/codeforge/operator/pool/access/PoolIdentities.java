package dev.codeforge.operator.pool.access;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.identity.AccountPlanner;
import dev.codeforge.identity.Credential;
import dev.codeforge.identity.CredentialPlanner;
import dev.codeforge.identity.Mint;
import dev.codeforge.identity.NamespaceIdentity;
import dev.codeforge.identity.PoolIdentity;
import dev.codeforge.jetstream.Accounts;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.operator.pool.access.NamespaceAccounts.Membership;
import dev.codeforge.operator.pool.access.NamespaceAccounts.Wanted;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.time.RecheckTimer;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An account for each namespace and a user for each pool, in a server that trusts the operator's keys. The operator
 * checks an account when a pool is added and after each connect to the server, otherwise each minute.
 */
public final class PoolIdentities implements WorkerAccess {
    /** The key in the pool's Secret, and the file's name in its workers. */
    public static final String CREDENTIAL = "nats.creds";

    private final KubernetesClient client;
    private final Connections connections;
    private final Accounts accounts;
    private final SharedAccounts shared;
    private final Mint mint;
    private final String url;
    private final AccountPlanner planner;
    private final CredentialPlanner credentialPlanner;
    private final Clock clock;
    /** For the installation's own accounts. */
    private final RecheckTimer<Wanted> sharedRechecks = new RecheckTimer<>();

    private final NamespaceAccounts namespaces = new NamespaceAccounts();
    /** Two threads that write one account would undo each other's changes. */
    private final Lock oneAtATime = new ReentrantLock();

    public PoolIdentities(
            KubernetesClient client,
            Connections connections,
            Accounts accounts,
            Mint mint,
            String url,
            Duration credentialLifetime,
            Clock clock) {
        this.client = client;
        this.connections = connections;
        this.accounts = accounts;
        this.mint = mint;
        this.url = url;
        this.planner = new AccountPlanner(mint, clock);
        this.shared = new SharedAccounts(accounts, planner);
        this.credentialPlanner = new CredentialPlanner(credentialLifetime, clock);
        this.clock = clock;
    }

    @Override
    public Optional<AccessRefusal> refusal(WorkerPool pool) {
        return Optional.empty();
    }

    @Override
    public Optional<String> trouble(AccessMemory memory) {
        return memory.membership().flatMap(member -> member.problem()
                .map(problem ->
                        "The account of namespace " + member.namespace().name() + " is not as wanted: " + problem));
    }

    @Override
    public NatsWall wall(WorkerPool pool) {
        return new NatsWall(Reason.Confined, "In NATS the pool is a user of its own, in the account of its namespace.");
    }

    /** Creates a credential also while NATS is away: a later reconcile makes the account known to NATS. */
    @Override
    public Map<String, String> secret(WorkerPool pool, AccessMemory memory) {
        final Membership member = membership(pool, memory);
        admit(member);
        final Credential credential = credentialPlanner.plan(
                memory.credential(), (now, lifetime) -> mint.worker(member.namespace(), identity(pool), now, lifetime));
        memory.credential(credential);
        return Map.of("url", url, CREDENTIAL, credential.file());
    }

    private void admit(Membership member) {
        final NamespaceIdentity namespace = member.namespace();
        final Wanted wanted = new Wanted(member.pools(), connections.connects());
        if (!connections.isConnected() || !member.rechecks().isDue(wanted, clock.instant())) {
            return;
        }
        oneAtATime.lock();
        try {
            keepShared(wanted.connects());
            final Optional<String> known = accounts.find(planner.accountId(namespace));
            shared.carryOut(planner.plan(namespace, poolsOf(namespace), known));
            member.rechecks().seen(wanted, clock.instant());
            member.problem(Optional.empty());
        } catch (QueueUnavailableException e) {
            member.problem(Optional.of(e.getMessage()));
        } finally {
            oneAtATime.unlock();
        }
    }

    /** A new version of the operator may have changed the rights of clients and viewers. */
    private void keepShared(int connects) {
        final Wanted wanted = new Wanted(shared.ids(), connects);
        if (sharedRechecks.isDue(wanted, clock.instant())) {
            shared.keep();
            sharedRechecks.seen(wanted, clock.instant());
        }
    }

    @Override
    public void withdraw(WorkerPool pool, AccessMemory memory, boolean namespaceEnds) {
        final NamespaceIdentity namespace = membership(pool, memory).namespace();
        final PoolIdentity ended = identity(pool);
        oneAtATime.lock();
        try {
            final Optional<String> known = accounts.find(planner.accountId(namespace));
            final List<PoolIdentity> others = poolsOf(namespace).stream()
                    .filter(other -> !other.equals(ended))
                    .toList();
            shared.carryOut(planner.planEnd(namespace, others, namespaceEnds, known));
        } finally {
            oneAtATime.unlock();
        }
    }

    /** Reads the API server: a pool that is missing in a cache would be revoked for ever. */
    private List<PoolIdentity> poolsOf(NamespaceIdentity namespace) {
        return client.resources(WorkerPool.class).inNamespace(namespace.name()).list().getItems().stream()
                .map(PoolIdentities::identity)
                .toList();
    }

    private Membership membership(WorkerPool pool, AccessMemory memory) {
        if (memory.membership().isEmpty()) {
            final String name = pool.getMetadata().getNamespace();
            final NamespaceIdentity namespace = new NamespaceIdentity(
                    name,
                    client.namespaces().withName(name).require().getMetadata().getUid());
            memory.membership(namespaces.join(namespace, pool.getMetadata().getUid()));
        }
        return memory.membership().orElseThrow();
    }

    public static PoolIdentity identity(WorkerPool pool) {
        return new PoolIdentity(pool.getMetadata().getName(), pool.getMetadata().getUid());
    }
}
