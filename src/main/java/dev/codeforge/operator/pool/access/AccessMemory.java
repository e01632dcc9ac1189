package dev.codeforge.operator.pool.access;

import dev.codeforge.identity.Credential;
import java.util.Optional;

/** What is remembered of one pool's way into NATS. */
public final class AccessMemory {
    private Optional<Credential> credential = Optional.empty();
    private Optional<NamespaceAccounts.Membership> membership = Optional.empty();

    Optional<Credential> credential() {
        return credential;
    }

    void credential(Credential current) {
        credential = Optional.of(current);
    }

    Optional<NamespaceAccounts.Membership> membership() {
        return membership;
    }

    void membership(NamespaceAccounts.Membership joined) {
        membership = Optional.of(joined);
    }

    /** The pool is forgotten: the account of its namespace is the other pools' alone. */
    public void end() {
        membership.ifPresent(NamespaceAccounts.Membership::end);
        membership = Optional.empty();
    }
}
