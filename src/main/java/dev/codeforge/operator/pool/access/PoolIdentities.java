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
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.time.RecheckTimer;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * An account for each namespace and a user for each pool, in a server that trusts the operator's keys. Accounts are looked
 * at when a pool comes and when the server does, else each minute.
 */
public final class PoolIdentities implements WorkerAccess {
    /** In the pool's Secret, and the file's name in its workers. */
    public static final String CREDENTIAL = "nats.creds";

    private static final String SHARED = "installation";

    private final KubernetesClient client;
    private final Connections connections;
    private final Accounts accounts;
    private final SharedAccounts shared;
    private final Mint mint;
    private final String url;
    private final AccountPlanner planner;
    private final CredentialPlanner credentialPlanner;
    /** Of the installation's own accounts, and by the uid of a namespace. */
    private final RecheckTimer<Wanted> rechecks;

    /** By the uid of a pool. */
    private final Map<String, NamespaceIdentity> namespaces = new ConcurrentHashMap<>();

    private final Map<String, Credential> credentials = new ConcurrentHashMap<>();
    private final Map<String, String> problems = new ConcurrentHashMap<>();
    /** Two that write one account would undo each other's changes. */
    private final Lock oneAtATime = new ReentrantLock();

    /**
     * @param pools another one is seen to at once
     * @param connects how often the server was connected to
     */
    private record Wanted(Set<String> pools, int connects) {}

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
        this.rechecks = new RecheckTimer<>(clock);
    }

    @Override
    public Optional<AccessRefusal> refusal(WorkerPool pool) {
        return Optional.empty();
    }

    @Override
    public Optional<String> trouble(WorkerPool pool) {
        return Optional.ofNullable(namespaces.get(pool.getMetadata().getUid()))
                .flatMap(namespace -> Optional.ofNullable(problems.get(namespace.uid()))
                        .map(problem ->
                                "The account of namespace " + namespace.name() + " is not as wanted: " + problem));
    }

    @Override
    public NatsWall wall(WorkerPool pool) {
        return new NatsWall(Reason.Confined, "In NATS the pool is a user of its own, in the account of its namespace.");
    }

    /** A credential is made while NATS is away, too: that it knows its account is seen to by a later look. */
    @Override
    public Map<String, String> secret(WorkerPool pool) {
        final String uid = pool.getMetadata().getUid();
        final NamespaceIdentity namespace = namespaceOf(pool);
        admit(namespace);
        final Credential credential = credentialPlanner.plan(
                Optional.ofNullable(credentials.get(uid)),
                (now, lifetime) -> mint.worker(namespace, identity(pool), now, lifetime));
        credentials.put(uid, credential);
        return Map.of("url", url, CREDENTIAL, credential.file());
    }

    private void admit(NamespaceIdentity namespace) {
        final Wanted wanted = new Wanted(served(namespace), connections.connects());
        if (!connections.isConnected() || !rechecks.isDue(namespace.uid(), wanted)) {
            return;
        }
        oneAtATime.lock();
        try {
            keepShared(wanted.connects());
            final Optional<String> known = accounts.find(planner.accountId(namespace));
            shared.carryOut(planner.plan(namespace, poolsOf(namespace), known));
            rechecks.seen(namespace.uid(), wanted);
            problems.remove(namespace.uid());
        } catch (QueueUnavailableException e) {
            problems.put(namespace.uid(), e.getMessage());
        } finally {
            oneAtATime.unlock();
        }
    }

    /** A release of this program may have changed what others may reach. */
    private void keepShared(int connects) {
        final Wanted wanted = new Wanted(shared.ids(), connects);
        if (rechecks.isDue(SHARED, wanted)) {
            shared.keep();
            rechecks.seen(SHARED, wanted);
        }
    }

    @Override
    public void withdraw(WorkerPool pool, boolean namespaceEnds) {
        final NamespaceIdentity namespace = namespaceOf(pool);
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

    /** Not from a cache: a pool that is missing in it would be revoked for ever. */
    private List<PoolIdentity> poolsOf(NamespaceIdentity namespace) {
        return client.resources(WorkerPool.class).inNamespace(namespace.name()).list().getItems().stream()
                .map(PoolIdentities::identity)
                .toList();
    }

    private NamespaceIdentity namespaceOf(WorkerPool pool) {
        return namespaces.computeIfAbsent(pool.getMetadata().getUid(), uid -> {
            final String name = pool.getMetadata().getNamespace();
            return new NamespaceIdentity(
                    name,
                    client.namespaces().withName(name).require().getMetadata().getUid());
        });
    }

    public static PoolIdentity identity(WorkerPool pool) {
        return new PoolIdentity(pool.getMetadata().getName(), pool.getMetadata().getUid());
    }

    @Override
    public void forget(WorkerPool pool) {
        final String uid = pool.getMetadata().getUid();
        credentials.remove(uid);
        Optional.ofNullable(namespaces.remove(uid))
                .filter(namespace -> served(namespace).isEmpty())
                .map(NamespaceIdentity::uid)
                .ifPresent(namespace -> {
                    rechecks.forget(namespace);
                    problems.remove(namespace);
                });
    }

    /** The uids of its pools. */
    private Set<String> served(NamespaceIdentity namespace) {
        return namespaces.entrySet().stream()
                .filter(of -> of.getValue().equals(namespace))
                .map(Map.Entry::getKey)
                .collect(Collectors.toUnmodifiableSet());
    }
}
