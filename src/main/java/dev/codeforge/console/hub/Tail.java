package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;

/**
 * The position up to which a stream was passed on. Messages over core NATS may be missed; they are then read from the
 * stream, and heard messages wait until the gap is closed. Guarded by the hub's lock.
 */
final class Tail {
    enum Verdict {
        /** The next entry. */
        NEXT,
        /** The entry was passed on already, or will be read. */
        KNOWN,
        /** Earlier entries are missing: read them. */
        GAP
    }

    private static final long UNKNOWN = -1;

    private long last = UNKNOWN;
    private long heard;
    private boolean reading = true;

    /** The last sequence that was passed on. */
    long last() {
        return last;
    }

    boolean isKnown() {
        return last != UNKNOWN;
    }

    /**
     * Sets the start, and detects a recreated stream. Of two concurrent reads one may see an end that the other has
     * passed, so only an end below the position before the read shows that the stream was recreated.
     *
     * @param end where the stream ended after {@link #beginReading}
     * @param before the result of that call
     * @return whether the stream was recreated
     */
    boolean beginAt(long end, long before) {
        if (!isKnown()) {
            last = end;
            return false;
        }
        final boolean anew = end < before && last == before;
        if (anew) {
            heard = 0;
            last = end;
        }
        return anew;
    }

    Verdict hear(Entry entry) {
        heard = Math.max(heard, entry.sequence());
        if (reading || entry.sequence() <= last) {
            return Verdict.KNOWN;
        }
        if (entry.previous() > last) {
            reading = true;
            return Verdict.GAP;
        }
        last = entry.sequence();
        return Verdict.NEXT;
    }

    /** From now on heard entries wait. @return the result of {@link #last} */
    long beginReading() {
        reading = true;
        return last;
    }

    /** @return whether to pass the entry on */
    boolean read(Entry entry) {
        if (entry.sequence() <= last) {
            return false;
        }
        last = entry.sequence();
        return true;
    }

    /** The stream had no further entries. @return whether all heard entries were read; a replica may lag */
    boolean endReading() {
        reading = last < heard;
        return !reading;
    }
}
