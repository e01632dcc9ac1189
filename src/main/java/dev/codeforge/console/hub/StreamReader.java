package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.wire.TaskRef;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** A stream as it is read, however long NATS is away: of all events, or of the lines of one task. */
final class StreamReader {
    private static final Duration AWAY = Duration.ofSeconds(1);
    /** A copy of a stream follows its leader within milliseconds. */
    static final Duration BEHIND = Duration.ofMillis(50);

    private interface Source {
        List<Entry> after(long sequence);

        long last();
    }

    private final Source source;

    private StreamReader(Source source) {
        this.source = source;
    }

    static StreamReader ofEvents(LiveStreams streams) {
        return new StreamReader(new Source() {
            @Override
            public List<Entry> after(long sequence) {
                return streams.eventsAfter(sequence);
            }

            @Override
            public long last() {
                return streams.lastEvent();
            }
        });
    }

    static StreamReader ofLines(LiveStreams streams, TaskRef task) {
        return new StreamReader(new Source() {
            @Override
            public List<Entry> after(long sequence) {
                return streams.linesAfter(task, sequence);
            }

            @Override
            public long last() {
                return streams.lastLine(task);
            }
        });
    }

    /** @throws InterruptedException also when it is over */
    List<Entry> after(long sequence, BooleanSupplier over) throws InterruptedException {
        return patiently(() -> source.after(sequence), over);
    }

    long last(BooleanSupplier over) throws InterruptedException {
        return patiently(source::last, over);
    }

    static <T> T patiently(Supplier<T> question, BooleanSupplier over) throws InterruptedException {
        while (!over.getAsBoolean()) {
            try {
                return question.get();
            } catch (QueueUnavailableException e) {
                Thread.sleep(AWAY);
            }
        }
        throw new InterruptedException("nobody waits for it any more");
    }
}
