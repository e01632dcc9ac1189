package dev.codeforge.operator.pool.access;

import dev.codeforge.identity.NamespaceIdentity;
import dev.codeforge.operator.time.RecheckTimer;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The state of each namespace's account, which its pools share until the last of them ends. */
final class NamespaceAccounts {
    private final Map<String, Account> byUid = new ConcurrentHashMap<>();

    /**
     * What an account was last checked for: any change makes the next check due at once.
     *
     * @param members uids of the account's pools, or ids of the installation's own accounts
     * @param connects number of connects to the server
     */
    record Wanted(Set<String> members, int connects) {}

    /** Pools of one namespace are reconciled at the same time. */
    private static final class Account {
        private final Set<String> pools = ConcurrentHashMap.newKeySet();
        private final RecheckTimer<Wanted> rechecks = new RecheckTimer<>();
        private volatile Optional<String> problem = Optional.empty();
    }

    /** A pool is in an account until its membership ends. */
    final class Membership {
        private final NamespaceIdentity namespace;
        private final String pool;
        private final Account account;

        private Membership(NamespaceIdentity namespace, String pool, Account account) {
            this.namespace = namespace;
            this.pool = pool;
            this.account = account;
        }

        NamespaceIdentity namespace() {
            return namespace;
        }

        /** The uids of the account's pools. */
        Set<String> pools() {
            return Set.copyOf(account.pools);
        }

        RecheckTimer<Wanted> rechecks() {
            return account.rechecks;
        }

        /** Why the account is not as wanted; empty when it is. */
        Optional<String> problem() {
            return account.problem;
        }

        void problem(Optional<String> now) {
            account.problem = now;
        }

        void end() {
            byUid.computeIfPresent(namespace.uid(), (uid, joined) -> {
                joined.pools.remove(pool);
                return joined.pools.isEmpty() ? null : joined;
            });
        }
    }

    /** @param pool its uid */
    Membership join(NamespaceIdentity namespace, String pool) {
        final Account account = byUid.compute(namespace.uid(), (uid, there) -> {
            final Account joined = there == null ? new Account() : there;
            joined.pools.add(pool);
            return joined;
        });
        return new Membership(namespace, pool, account);
    }
}
