package dev.codeforge.identity;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Decides whether a pool keeps its credential. Pure. */
public final class CredentialPlanner {
    private final Mint mint;
    private final Duration lifetime;
    private final Clock clock;

    /** @param lifetime how long a credential is valid */
    public CredentialPlanner(Mint mint, Duration lifetime, Clock clock) {
        this.mint = mint;
        this.lifetime = lifetime;
        this.clock = clock;
    }

    /** @param current what the pool has; empty for nothing, or when that is not known */
    public Credential plan(NamespaceIdentity namespace, PoolIdentity pool, Optional<Credential> current) {
        final Instant now = clock.instant();
        return current.filter(credential -> now.isBefore(credential.renewed()))
                .orElseGet(() -> new Credential(
                        mint.worker(namespace, pool, now, lifetime).file(), now.plus(lifetime.dividedBy(2))));
    }
}
