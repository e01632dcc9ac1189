package dev.codeforge.identity;

import java.util.Map;
import java.util.Optional;

/**
 * Accounts of another owner for workers.
 *
 * @param streams the id of the account with the streams; the operator is a user of it
 * @param own accounts of single namespaces, by namespace
 * @param workers the account of all other namespaces
 */
public record DelegatedAccounts(String streams, Map<String, DelegatedAccount> own, Optional<DelegatedAccount> workers) {

    /** How far a worker that was taken over can reach, by its account. */
    public enum Bound {
        /** Nothing of other namespaces can be reached. */
        NAMESPACE,
        /** Subjects of other namespaces within the account can be written to. */
        ACCOUNT,
        /** JetStream of the account stores and shows what others in it receive. */
        ACCOUNT_WITH_JETSTREAM,
        /** JetStream of the account has every pool's streams. */
        ACCOUNT_WITH_STREAMS
    }

    /** Empty when the namespace has no account. */
    public Optional<DelegatedAccount> find(String namespace) {
        return Optional.ofNullable(own.get(namespace)).or(() -> workers);
    }

    public Bound bound(String namespace) {
        final DelegatedAccount account = find(namespace).orElseThrow();
        if (account.id().equals(streams)) {
            return Bound.ACCOUNT_WITH_STREAMS;
        }
        if (isOfOneNamespace(account)) {
            return Bound.NAMESPACE;
        }
        return account.hasJetStream() ? Bound.ACCOUNT_WITH_JETSTREAM : Bound.ACCOUNT;
    }

    private boolean isOfOneNamespace(DelegatedAccount account) {
        return workers.filter(shared -> shared.id().equals(account.id())).isEmpty()
                && own.values().stream()
                                .filter(other -> other.id().equals(account.id()))
                                .count()
                        == 1;
    }
}
