package dev.codeforge.testing;

import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.wire.TaskRef;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** RESULTS and LOGS of one test, which decides what is heard and when a subscription is answered or left. */
public final class MemoryStreams implements LiveStreams {
    private static final int PAGE = 10;

    private final List<Entry> events = new ArrayList<>();
    private final List<Entry> lines = new ArrayList<>();
    private final Set<TaskRef> watched = new HashSet<>();
    private Listener listener = new Listener() {
        @Override
        public void connected() {}

        @Override
        public void event(Entry event) {}

        @Override
        public void line(Entry line) {}
    };
    private final CountDownLatch left = new CountDownLatch(1);
    private volatile CountDownLatch subscribing = new CountDownLatch(0);
    private volatile CountDownLatch leaving = new CountDownLatch(0);
    private volatile CountDownLatch reading = new CountDownLatch(0);
    private final AtomicInteger reads = new AtomicInteger();

    public synchronized Entry storeEvent(TaskRef task, String event) {
        final long last = events.isEmpty() ? 0 : events.getLast().sequence();
        final Entry entry = entry(task, last, "{\"event\":\"" + event + "\"}");
        events.add(entry);
        return entry;
    }

    /** The next line, of half a KiB, which the stream does not have yet. */
    public synchronized Entry nextLine(TaskRef task) {
        final long last = lines.isEmpty() ? 0 : lines.getLast().sequence();
        return entry(task, last, "{\"seq\":" + (last + 1) + ",\"line\":\"" + "x".repeat(512) + "\"}");
    }

    public synchronized Entry storeLine(Entry line) {
        lines.add(line);
        return line;
    }

    private static Entry entry(TaskRef task, long last, String body) {
        return new Entry(task, last + 1, last, body.getBytes(StandardCharsets.UTF_8));
    }

    public void publish(Entry line) {
        listener.line(line);
    }

    public void publishEvent(Entry event) {
        listener.event(event);
    }

    public synchronized void loseEvents() {
        events.clear();
    }

    public synchronized boolean isWatched(TaskRef task) {
        return watched.contains(task);
    }

    public void connect() {
        listener.connected();
    }

    @Override
    public void listen(Listener to) {
        listener = to;
        to.connected();
    }

    /** From now on a subscription to lines does not return before {@link #answerSubscriptions}. */
    public void holdSubscriptions() {
        subscribing = new CountDownLatch(1);
    }

    public void answerSubscriptions() {
        subscribing.countDown();
    }

    /** From now on who leaves the lines of a task, and has the hub's lock, is held up until {@link #letGo}. */
    public void holdLeaving() {
        leaving = new CountDownLatch(1);
    }

    public void letGo() {
        leaving.countDown();
    }

    /** From now on who reads lines gets them at {@link #answerReads}. */
    public void holdReads() {
        reading = new CountDownLatch(1);
    }

    public void answerReads() {
        reading.countDown();
    }

    /** How often lines were read. */
    public int reads() {
        return reads.get();
    }

    /** Returns when somebody leaves. */
    public void awaitLeaving() throws InterruptedException {
        left.await();
    }

    @Override
    public void watchLines(TaskRef task) {
        synchronized (this) {
            watched.add(task);
        }
        await(subscribing);
    }

    @Override
    public void leaveLines(TaskRef task) {
        synchronized (this) {
            watched.remove(task);
        }
        left.countDown();
        await(leaving);
    }

    private static void await(CountDownLatch word) {
        try {
            word.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("the test is over", e);
        }
    }

    @Override
    public boolean isConnected() {
        return true;
    }

    @Override
    public boolean isLost() {
        return false;
    }

    @Override
    public List<Entry> eventsAfter(long sequence) {
        return after(events, sequence);
    }

    @Override
    public List<Entry> linesAfter(TaskRef task, long sequence) {
        reads.incrementAndGet();
        await(reading);
        return after(lines, sequence);
    }

    private synchronized List<Entry> after(List<Entry> entries, long sequence) {
        return entries.stream()
                .filter(entry -> entry.sequence() > sequence)
                .limit(PAGE)
                .toList();
    }

    @Override
    public synchronized boolean hasEvent(long sequence) {
        return events.stream().anyMatch(event -> event.sequence() == sequence);
    }

    @Override
    public synchronized boolean hasLine(TaskRef task, long sequence) {
        return lines.stream()
                .anyMatch(line -> line.sequence() == sequence && line.task().equals(task));
    }

    @Override
    public synchronized long lastEvent() {
        return events.isEmpty() ? 0 : events.getLast().sequence();
    }

    @Override
    public synchronized long lastLine(TaskRef task) {
        return lines.isEmpty() ? 0 : lines.getLast().sequence();
    }

    @Override
    public void close() {}
}
