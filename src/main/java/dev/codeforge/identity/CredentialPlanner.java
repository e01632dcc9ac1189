package dev.codeforge.identity;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Decides whether a pool keeps its credential. Pure. */
public final class CredentialPlanner {
    private final Duration lifetime;
    private final Clock clock;

    /** Makes a worker of a pool, for so long. */
    @FunctionalInterface
    public interface Minting {
        Login at(Instant now, Duration lifetime);
    }

    /** @param lifetime how long a credential is valid */
    public CredentialPlanner(Duration lifetime, Clock clock) {
        this.lifetime = lifetime;
        this.clock = clock;
    }

    /** @param current what the pool has; empty for nothing, or when that is not known */
    public Credential plan(Optional<Credential> current, Minting minting) {
        final Instant now = clock.instant();
        return current.filter(credential -> now.isBefore(credential.renewed()))
                .orElseGet(() -> new Credential(minting.at(now, lifetime).file(), now.plus(lifetime.dividedBy(2))));
    }
}
