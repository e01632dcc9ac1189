package dev.codeforge.console.hub;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One connection and its bounded queue of messages. A client that does not read is dropped and does not affect others.
 */
public final class Client {
    /** Characters of a frame: few enough for a browser to handle within a repaint. */
    private static final int FRAME = 32 << 10;

    private final Outlet outlet;
    private final long bound;
    private final Traffic traffic;
    private final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private long size;
    private boolean sending;
    private boolean closed;

    private record Waiting(Message message, long sinceNanos) {
        int length() {
            return message.json().length();
        }
    }

    /** @param bound of the queue, in characters */
    Client(Outlet outlet, long bound, Traffic traffic) {
        this.outlet = outlet;
        this.traffic = traffic;
        this.bound = bound;
    }

    Map<String, Subscription> subscriptions() {
        return subscriptions;
    }

    public Collection<Request> requests() {
        return subscriptions.values().stream().map(Subscription::request).toList();
    }

    /** Adds a message. One that does not fit drops the client. */
    public synchronized void offer(Message message) {
        if (closed) {
            return;
        }
        waiting.add(new Waiting(message, System.nanoTime()));
        size += message.json().length();
        // A single message may be larger than the bound.
        if (size > bound && waiting.size() > 1) {
            traffic.dropped();
            close(Closing.TOO_SLOW);
        }
    }

    /** Sends a frame of the queue, unless the last frame is still being sent. */
    synchronized void flush() {
        if (sending || waiting.isEmpty()) {
            return;
        }
        final Duration waited =
                Duration.ofNanos(System.nanoTime() - waiting.element().sinceNanos());
        final List<Message> frame = new ArrayList<>();
        int length = 0;
        while (!waiting.isEmpty()
                && (frame.isEmpty() || length + waiting.element().length() <= FRAME)) {
            final Waiting next = waiting.remove();
            length += next.length();
            frame.add(next.message());
        }
        size -= length;
        sending = true;
        notifyAll();
        traffic.sent(frame.size(), waited);
        outlet.send(List.copyOf(frame), this::sent);
    }

    private synchronized void sent() {
        sending = false;
        // Less than a frame waits for the next flush.
        if (size >= FRAME) {
            flush();
        }
    }

    /** Waits until half of the queue is free, so that reading from a stream never makes a client too slow. */
    synchronized void awaitRoom() throws InterruptedException {
        while (!hasRoom()) {
            wait();
        }
    }

    /** True also for a client that has disconnected. */
    synchronized boolean hasRoom() {
        return closed || size <= bound / 2;
    }

    synchronized boolean isClosed() {
        return closed;
    }

    /** Closes the client; no message is sent afterwards. */
    public synchronized void close(Closing why) {
        if (!closed) {
            gone();
            outlet.close(why);
        }
    }

    /** The connection has ended. */
    synchronized void gone() {
        closed = true;
        waiting.clear();
        size = 0;
        notifyAll();
    }
}
