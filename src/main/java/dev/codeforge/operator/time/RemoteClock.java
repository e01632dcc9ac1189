package dev.codeforge.operator.time;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The clock of another machine: asked regularly, and counted on from the answer with {@code System.nanoTime}. Times
 * that this machine has stamped are compared with this clock, never with the operator's own.
 */
public final class RemoteClock extends Clock {
    /** A machine's clock may be changed, so it is asked again after this time. */
    private static final Duration VALID = Duration.ofMinutes(1);
    /** A slower answer is too imprecise. */
    private static final Duration PROMPT = Duration.ofSeconds(1);

    private static final Duration ASK_AGAIN = Duration.ofSeconds(10);

    private final Supplier<Instant> ask;
    private final LongSupplier nanoTime;
    private final ReentrantLock asking = new ReentrantLock();
    private volatile Reading reading;

    private record Reading(Instant told, long at, long askAgain) {
        Instant after(long now) {
            return told.plusNanos(now - at);
        }
    }

    /** @param ask the machine for its time, or throws when it does not answer */
    public RemoteClock(Supplier<Instant> ask) {
        this(ask, System::nanoTime);
    }

    RemoteClock(Supplier<Instant> ask, LongSupplier nanoTime) {
        this.ask = ask;
        this.nanoTime = nanoTime;
    }

    /** Asks again at the next use, because another machine may answer from now on. */
    public void askAnew() {
        final Reading known = reading;
        if (known != null) {
            reading = new Reading(known.told(), known.at(), nanoTime.getAsLong());
        }
    }

    /** Throws what the question throws until the first answer; after that the last answer is counted on. */
    @Override
    public Instant instant() {
        final Reading known = reading;
        if (known == null) {
            asking.lock();
        } else if (nanoTime.getAsLong() - known.askAgain() < 0 || !asking.tryLock()) {
            return known.after(nanoTime.getAsLong());
        }
        try {
            // Another thread may have asked while this one waited.
            if (reading == known) {
                reading = read(known);
            }
            return reading.after(nanoTime.getAsLong());
        } finally {
            asking.unlock();
        }
    }

    private Reading read(Reading known) {
        final long begun = nanoTime.getAsLong();
        try {
            final Instant told = ask.get();
            final long now = nanoTime.getAsLong();
            final boolean isPrompt = now - begun < PROMPT.toNanos();
            if (known == null || isPrompt) {
                // Counted from the arrival of the answer: this clock may lag but is never ahead, so that no deadline
                // passes early.
                return new Reading(told, now, now + (isPrompt ? VALID : ASK_AGAIN).toNanos());
            }
            return new Reading(known.told(), known.at(), now + ASK_AGAIN.toNanos());
        } catch (RuntimeException e) {
            if (known == null) {
                throw e;
            }
            return new Reading(known.told(), known.at(), nanoTime.getAsLong() + ASK_AGAIN.toNanos());
        }
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        throw new UnsupportedOperationException("times here are instants: no zone is asked for");
    }
}
