package dev.codeforge.soak;

import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskEvent;
import io.nats.client.Connection;
import io.nats.client.IterableConsumer;
import io.nats.client.Message;
import io.nats.client.api.OrderedConsumerConfiguration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All events of all tasks, read once everything is over. */
final class Events {
    private final Map<String, List<TaskEvent>> byTask = new HashMap<>();

    Events(List<TaskEvent> all) {
        all.forEach(event -> byTask.computeIfAbsent(event.taskId(), unseen -> new ArrayList<>())
                .add(event));
    }

    /** Reads them all. */
    static Events stored(Connection connection) throws Exception {
        final List<TaskEvent> stored = new ArrayList<>();
        final long count = connection
                .jetStreamManagement()
                .getStreamInfo(Subjects.EVENTS_STREAM)
                .getStreamState()
                .getMsgCount();
        try (IterableConsumer all = connection
                .getStreamContext(Subjects.EVENTS_STREAM)
                .createOrderedConsumer(new OrderedConsumerConfiguration())
                .iterate()) {
            for (long i = 0; i < count; i++) {
                final Message message = all.nextMessage(Duration.ofSeconds(10));
                if (message == null) {
                    throw new IllegalStateException("EVENTS told " + i + " of its " + count + " events");
                }
                stored.add(TaskEvent.parse(message.getData()));
            }
        }
        return new Events(stored);
    }

    List<TaskEvent> of(String task) {
        return byTask.getOrDefault(task, List.of());
    }

    /** The first terminal event of an attempt: the end of it. */
    Optional<TaskEvent> end(String task, int attempt) {
        return of(task).stream()
                .filter(event -> event.attempt() == attempt && event.isTerminal())
                .findFirst();
    }
}
