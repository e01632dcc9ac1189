package dev.codeforge.identity;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Decides whether a pool keeps its credential. Pure. */
public final class CredentialPlanner {
    private final Duration lifetime;
    private final Clock clock;

    /** Creates a login for a pool's workers with this lifetime. */
    @FunctionalInterface
    public interface Minting {
        Login at(Instant now, Duration lifetime);
    }

    /** @param lifetime how long a credential is valid */
    public CredentialPlanner(Duration lifetime, Clock clock) {
        this.lifetime = lifetime;
        this.clock = clock;
    }

    /** @param current the pool's credential; empty if there is none or it is not known */
    public Credential plan(Optional<Credential> current, Minting minting) {
        final Instant now = clock.instant();
        return current.filter(credential -> now.isBefore(credential.renewed()))
                .orElseGet(() -> new Credential(minting.at(now, lifetime).file(), now.plus(lifetime.dividedBy(2))));
    }
}
