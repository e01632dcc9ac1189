package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.wire.TaskRef;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Reads a stream through any outage of NATS: all events, or the lines of one task. Clients that reconnect together miss
 * the same entries: one reads a page, and those that wait share it.
 */
final class StreamReader {
    private static final Duration AWAY = Duration.ofSeconds(1);
    /** A replica of a stream follows its leader within milliseconds. */
    static final Duration BEHIND = Duration.ofMillis(50);

    private interface Source {
        List<Entry> after(long sequence);

        boolean has(long sequence);

        long last();
    }

    private final Source source;
    private final ReentrantLock reading = new ReentrantLock(true);
    private Page page = Page.NONE;

    /** The entries after a sequence, up to the last one. */
    private record Page(long after, List<Entry> entries) {
        static final Page NONE = new Page(Long.MAX_VALUE, List.of());

        List<Entry> after(long sequence) {
            return sequence < after
                    ? List.of()
                    : entries.stream()
                            .dropWhile(entry -> entry.sequence() <= sequence)
                            .toList();
        }
    }

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
            public boolean has(long sequence) {
                return streams.hasEvent(sequence);
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
            public boolean has(long sequence) {
                return streams.hasLine(task, sequence);
            }

            @Override
            public long last() {
                return streams.lastLine(task);
            }
        });
    }

    /** @throws InterruptedException also when {@code over} is true */
    List<Entry> after(long sequence, BooleanSupplier over) throws InterruptedException {
        reading.lockInterruptibly();
        try {
            final List<Entry> shared = page.after(sequence);
            if (!shared.isEmpty()) {
                return shared;
            }
            page = new Page(sequence, patiently(() -> source.after(sequence), over));
            return page.entries();
        } finally {
            if (!reading.hasQueuedThreads()) {
                page = Page.NONE;
            }
            reading.unlock();
        }
    }

    /** Whether the stream still keeps an entry at this sequence. */
    boolean has(long sequence, BooleanSupplier over) throws InterruptedException {
        return patiently(() -> source.has(sequence), over);
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
        throw new InterruptedException("no subscription waits for it");
    }
}
