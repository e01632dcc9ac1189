package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.wire.TaskRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A feed for the lines of each watched task. Lines of other tasks are not read. Called under the hub's lock. */
final class Logs {
    private static final Logger LOG = LoggerFactory.getLogger(Logs.class);

    private final LiveStreams streams;
    private final Feed.Surroundings shared;
    private final Map<TaskRef, Log> logs = new HashMap<>();

    Logs(LiveStreams streams, Feed.Surroundings shared) {
        this.streams = streams;
        this.shared = shared;
    }

    /** NATS is connected again. */
    void follow() {
        logs.values().forEach(log -> log.feed().follow());
    }

    void hear(Entry line) {
        final Log log = logs.get(line.task());
        if (log != null) {
            log.feed().hear(line);
        }
    }

    /** Subscribes to the task's lines. */
    Reception watch(Subscription subscription, TaskRef task) {
        Log log = logs.get(task);
        if (log == null) {
            log = open(task);
        }
        final Reception reception =
                new Reception(subscription, log.feed(), subscription.request().afterLine());
        log.receptions().add(reception);
        return reception;
    }

    private Log open(TaskRef task) {
        final Set<Reception> receptions = new HashSet<>();
        final Feed feed =
                new Feed(shared, StreamReader.ofLines(streams, task), Message::line, Feed.Audience.of(receptions));
        final Log log = new Log(task, receptions, feed);
        logs.put(task, log);
        shared.readers().submit(() -> begin(log));
        return log;
    }

    private void begin(Log log) {
        try {
            StreamReader.patiently(
                    () -> {
                        streams.watchLines(log.task());
                        return log;
                    },
                    log.feed()::isClosed);
            log.feed().follow();
        } catch (InterruptedException e) {
            LOG.debug("no subscription to the lines of {} is left", log.task().id());
        }
        synchronized (shared.lock()) {
            if (!logs.containsKey(log.task())) {
                streams.leaveLines(log.task());
            }
        }
    }

    void leave(Subscription subscription) {
        final List<Log> unwatched = logs.values().stream()
                .filter(log -> log.receptions().removeIf(reception -> reception.subscription() == subscription))
                .filter(log -> log.receptions().isEmpty())
                .toList();
        unwatched.forEach(log -> {
            log.feed().close();
            logs.remove(log.task());
            // Under the lock, so that the next subscription to the task follows this call.
            streams.leaveLines(log.task());
        });
    }
}
