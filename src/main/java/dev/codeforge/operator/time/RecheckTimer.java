package dev.codeforge.operator.time;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What is kept for a pool beside its workers is written when it is to change, else each minute, since it may be lost. */
public final class RecheckTimer<W> {
    private static final Duration AGAIN = Duration.ofMinutes(1);

    private final Clock clock;
    private final Map<String, Seen<W>> seen = new ConcurrentHashMap<>();

    private record Seen<W>(W wanted, Instant at) {}

    public RecheckTimer(Clock clock) {
        this.clock = clock;
    }

    public boolean isDue(String uid, W wanted) {
        final Seen<W> last = seen.get(uid);
        return last == null
                || !last.wanted().equals(wanted)
                || !clock.instant().isBefore(last.at().plus(AGAIN));
    }

    public void seen(String uid, W wanted) {
        seen.put(uid, new Seen<>(wanted, clock.instant()));
    }

    public void forget(String uid) {
        seen.remove(uid);
    }
}
