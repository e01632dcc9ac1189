package dev.codeforge.operator.time;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Times the writes of a pool's other objects: at once after a change, otherwise each minute, as they may be lost. */
public final class RecheckTimer<W> {
    private static final Duration AGAIN = Duration.ofMinutes(1);

    /** Volatile, because pools of one namespace share a timer. */
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
