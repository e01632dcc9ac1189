package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;

/**
 * How far a stream was passed on. Over core NATS a message may be missed; then what is missing is read from the stream, and
 * until it is there nothing that was heard is passed on. Guarded by the hub's lock.
 */
final class Tail {
    enum Verdict {
        /** It is the next one. */
        NEXT,
        /** It was passed on already, or will be read. */
        KNOWN,
        /** Others are missing before it: read them. */
        GAP
    }

    private static final long UNKNOWN = -1;

    private long last = UNKNOWN;
    private long heard;
    private boolean reading = true;

    /** The sequence up to which all has been passed on. */
    long last() {
        return last;
    }

    boolean isKnown() {
        return last != UNKNOWN;
    }

    /**
     * Where it begins, or begins anew when the stream does. Of two who read at the same time one may be told of an end that the
     * other has long passed: only less than what was passed on before the question says that the stream was made anew.
     *
     * @param end where the stream ended after {@link #beginReading}
     * @param before what that returned
     * @return whether the stream was made anew
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

    /** What is heard waits from now on. @return what {@link #last} is */
    long beginReading() {
        reading = true;
        return last;
    }

    /** @return whether it is to be passed on */
    boolean read(Entry entry) {
        if (entry.sequence() <= last) {
            return false;
        }
        last = entry.sequence();
        return true;
    }

    /** Nothing more was found. @return whether what was heard is among it; a copy of a stream may be behind */
    boolean endReading() {
        reading = last < heard;
        return !reading;
    }
}
