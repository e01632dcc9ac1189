package dev.codeforge.identity;

import java.util.Map;
import java.util.Optional;

/**
 * The accounts that somebody else has made for workers.
 *
 * @param streams the id of the account with the streams, whose user the operator is
 * @param own of namespaces that have one
 * @param workers of all other namespaces
 */
public record DelegatedAccounts(String streams, Map<String, DelegatedAccount> own, Optional<DelegatedAccount> workers) {

    /** What an account holds against a worker of it that is taken over. */
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

    /** Empty when a namespace has none. */
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
