package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.wire.TaskRef;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** RESULTS and LOGS of one test, which decides what is heard and when a read is answered. */
final class MemoryStreams implements LiveStreams {
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
    private boolean away;

    synchronized Entry storeEvent(TaskRef task, String event) {
        final long last = events.isEmpty() ? 0 : events.getLast().sequence();
        final Entry entry = entry(task, last, "{\"event\":\"" + event + "\"}");
        events.add(entry);
        return entry;
    }

    /** Each has half a KiB. */
    synchronized Entry storeLine(TaskRef task, int number) {
        final long last = lines.isEmpty() ? 0 : lines.getLast().sequence();
        final Entry entry = entry(task, last, "{\"seq\":" + number + ",\"line\":\"" + "x".repeat(512) + "\"}");
        lines.add(entry);
        return entry;
    }

    private static Entry entry(TaskRef task, long last, String body) {
        return new Entry(task, last + 1, last, body.getBytes(StandardCharsets.UTF_8));
    }

    void publish(Entry line) {
        listener.line(line);
    }

    void publishEvent(Entry event) {
        listener.event(event);
    }

    synchronized void away(boolean isAway) {
        away = isAway;
    }

    synchronized void loseEvents() {
        events.clear();
    }

    synchronized boolean isWatched(TaskRef task) {
        return watched.contains(task);
    }

    void connect() {
        listener.connected();
    }

    @Override
    public void listen(Listener to) {
        listener = to;
        to.connected();
    }

    @Override
    public synchronized void watchLines(TaskRef task) {
        watched.add(task);
    }

    @Override
    public synchronized void leaveLines(TaskRef task) {
        watched.remove(task);
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
        return after(lines, sequence);
    }

    private synchronized List<Entry> after(List<Entry> entries, long sequence) {
        answer();
        return entries.stream()
                .filter(entry -> entry.sequence() > sequence)
                .limit(PAGE)
                .toList();
    }

    @Override
    public synchronized long lastEvent() {
        answer();
        return events.isEmpty() ? 0 : events.getLast().sequence();
    }

    @Override
    public synchronized long lastLine(TaskRef task) {
        answer();
        return lines.isEmpty() ? 0 : lines.getLast().sequence();
    }

    private void answer() {
        if (away) {
            throw new QueueUnavailableException("NATS is away");
        }
    }

    @Override
    public void close() {}
}
