package dev.codeforge.identity;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Plans what the server should know of an account. Pure: the server's JWT is the only state. It lists the users of the
 * pools, so that the user of a deleted pool is found and revoked even if the operator was down during the deletion.
 */
public final class AccountPlanner {
    /** No credential is valid for longer, so a revocation is not needed after this time. */
    public static final Duration LONGEST_LIFETIME = Duration.ofDays(7);

    private final Mint mint;
    private final Clock clock;

    public AccountPlanner(Mint mint, Clock clock) {
        this.mint = mint;
        this.clock = clock;
    }

    /** Ids of the installation's own accounts, which need no namespace. */
    public Set<String> shared() {
        return mint.shared().keySet();
    }

    /** @param known the server's JWT of the account; empty for none */
    public AccountPlan planShared(String accountId, Optional<String> known) {
        return planned(accountId, mint.shared().get(accountId), known);
    }

    public String accountId(NamespaceIdentity namespace) {
        return mint.accountId(namespace);
    }

    /** @param known the server's JWT of the namespace's account; empty for none */
    public AccountPlan plan(NamespaceIdentity namespace, List<PoolIdentity> pools, Optional<String> known) {
        return plan(namespace, pools, false, known);
    }

    /**
     * Plans for the end of a pool.
     *
     * @param others the remaining pools of its namespace
     * @param namespaceEnds no further objects can be created in the namespace
     */
    public AccountPlan planEnd(
            NamespaceIdentity namespace, List<PoolIdentity> others, boolean namespaceEnds, Optional<String> known) {
        return known.isEmpty() ? new AccountPlan.Keep() : plan(namespace, others, namespaceEnds, known);
    }

    /**
     * The namespace of the account; empty if this installation did not create the account for a namespace.
     *
     * @param known the server's JWT
     */
    public Optional<NamespaceIdentity> namespaceOf(String accountId, String known) {
        return mint.namespaceOf(accountId, Claims.read(known));
    }

    /** The request to delete the account of a deleted namespace. */
    public String deletion(NamespaceIdentity gone) {
        return mint.deletion(accountId(gone), clock.instant());
    }

    private AccountPlan plan(
            NamespaceIdentity namespace, List<PoolIdentity> pools, boolean ends, Optional<String> known) {
        final Optional<Claims> before = known.map(Claims::read);
        final Map<String, Long> revoked =
                before.map(claims -> claims.numbers("revocations")).orElseGet(TreeMap::new);
        // A UID is never reused: a reconcile that still sees the pool has an old copy of it.
        final List<PoolIdentity> served = pools.stream()
                .filter(pool -> !revoked.containsKey(mint.user(pool)))
                .sorted(Comparator.comparing(PoolIdentity::name).thenComparing(PoolIdentity::uid))
                .toList();
        if (ends && served.isEmpty()) {
            return new AccountPlan.Delete(deletion(namespace));
        }
        before.ifPresent(claims -> revokeMissing(claims, served, revoked));
        revoked.values().removeIf(this::isForgotten);
        return planned(accountId(namespace), mint.namespace(namespace, served, revoked), known);
    }

    private void revokeMissing(Claims known, List<PoolIdentity> served, Map<String, Long> revoked) {
        final Set<String> users = served.stream().map(mint::user).collect(Collectors.toSet());
        known.users()
                .filter(user -> !users.contains(user))
                .forEach(user -> revoked.putIfAbsent(user, clock.instant().getEpochSecond()));
    }

    private boolean isForgotten(long revoked) {
        return !clock.instant().isBefore(Instant.ofEpochSecond(revoked).plus(LONGEST_LIFETIME));
    }

    private AccountPlan planned(String accountId, Claims wanted, Optional<String> known) {
        return known.filter(mint::hasSigned)
                        .map(Claims::read)
                        .filter(wanted::saysTheSameAs)
                        .isPresent()
                ? new AccountPlan.Keep()
                : new AccountPlan.Push(mint.sign(wanted, accountId, clock.instant()));
    }
}
