package dev.codeforge.operator.time;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** What is kept for a pool beside its workers is written when it is to change, else each minute, since it may be lost. */
public final class RecheckTimer<W> {
    private static final Duration AGAIN = Duration.ofMinutes(1);

    /** Pools of one namespace share one. */
    private volatile Optional<Seen<W>> last = Optional.empty();

    private record Seen<W>(W wanted, Instant at) {}

    public boolean isDue(W wanted, Instant now) {
        return last.filter(seen ->
                        seen.wanted().equals(wanted) && now.isBefore(seen.at().plus(AGAIN)))
                .isEmpty();
    }

    public void seen(W wanted, Instant now) {
        last = Optional.of(new Seen<>(wanted, now));
    }
}
