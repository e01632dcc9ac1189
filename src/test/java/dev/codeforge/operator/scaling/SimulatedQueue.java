package dev.codeforge.operator.scaling;

import dev.codeforge.jetstream.TaskQueue;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** A work queue of JetStream with its one consumer: what is given back or lost is delivered again before what is new. */
final class SimulatedQueue {
    static final Duration ACK_WAIT = Duration.ofSeconds(60);
    static final Duration NAK_DELAY = Duration.ofSeconds(1);
    static final int MAX_DELIVERIES = 3;

    static final class Message {
        final Load.Task task;
        final long published;
        int deliveries;
        long lastStart;
        Optional<Long> firstStart = Optional.empty();
        Optional<Long> ended = Optional.empty();

        private Message(Load.Task task, long published) {
            this.task = task;
            this.published = published;
        }
    }

    private final SimulatedTime time;
    private final int maxAckPending;
    private final Runnable onChange;
    private final List<Message> all = new ArrayList<>();
    private final Deque<Message> fresh = new ArrayDeque<>();
    private final Deque<Message> again = new ArrayDeque<>();
    private final List<Runnable> whenUp = new ArrayList<>();
    private int unacknowledged;
    private boolean up = true;

    /** @param onChange is called when a message can be taken or has ended */
    SimulatedQueue(SimulatedTime time, int maxAckPending, Runnable onChange) {
        this.time = time;
        this.maxAckPending = maxAckPending;
        this.onChange = onChange;
    }

    /** Everything that is sent while the server is away is sent when it is back. */
    private void send(Runnable what) {
        if (!up) {
            whenUp.add(what);
            return;
        }
        what.run();
        onChange.run();
    }

    void goDown() {
        up = false;
    }

    void comeBack() {
        up = true;
        final List<Runnable> sent = List.copyOf(whenUp);
        whenUp.clear();
        sent.forEach(this::send);
        onChange.run();
    }

    void publish(Load.Task task) {
        final Message message = new Message(task, time.now());
        all.add(message);
        send(() -> fresh.add(message));
    }

    Optional<Message> take() {
        if (!up || (again.isEmpty() && (fresh.isEmpty() || unacknowledged >= maxAckPending))) {
            return Optional.empty();
        }
        final boolean redelivered = !again.isEmpty();
        final Message message = redelivered ? again.remove() : fresh.remove();
        unacknowledged += redelivered ? 0 : 1;
        message.deliveries++;
        message.lastStart = time.now();
        message.firstStart = message.firstStart.or(() -> Optional.of(time.now()));
        return Optional.of(message);
    }

    void ack(Message message) {
        send(() -> end(message));
    }

    void nak(Message message) {
        send(() -> time.in(NAK_DELAY, () -> send(() -> redeliver(message))));
    }

    /** Its worker is gone without a word. */
    void lose(Message message) {
        time.in(ACK_WAIT, () -> send(() -> redeliver(message)));
    }

    private void redeliver(Message message) {
        if (message.deliveries < MAX_DELIVERIES) {
            again.add(message);
        } else {
            end(message);
        }
    }

    private void end(Message message) {
        unacknowledged--;
        message.ended = Optional.of(time.now());
    }

    Optional<TaskQueue.Sample> sample() {
        return up ? Optional.of(new TaskQueue.Sample(fresh.size(), unacknowledged, false)) : Optional.empty();
    }

    List<Message> messages() {
        return all;
    }
}
