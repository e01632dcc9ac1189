package dev.codeforge.console.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.console.hub.Closing;
import dev.codeforge.console.hub.Hub;
import dev.codeforge.console.hub.Item;
import dev.codeforge.console.hub.Limits;
import dev.codeforge.console.hub.Message;
import dev.codeforge.console.hub.Outlet;
import dev.codeforge.console.hub.Request;
import dev.codeforge.console.hub.Topic;
import dev.codeforge.console.hub.Traffic;
import dev.codeforge.console.identity.Callers;
import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.testing.Patience;
import dev.codeforge.wire.TaskRef;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class VisitorsTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final BusyStreams streams = new BusyStreams();
    private final Hub hub = new Hub(streams, new Limits(9, 9, 1 << 20), new Uncounted(), Clock.systemUTC());
    private final Visitors visitors = new Visitors(hub, new Everybody(), Set.of(), 9);

    @AfterEach
    void stop() {
        streams.free.countDown();
        visitors.close();
        hub.close();
        threads.close();
    }

    @Test
    void aConnectionThatEndsDoesNotWaitForTheHub() throws Exception {
        hub.put(new Item(Item.Kind.TASK, "team", "task", "uid", "pool", Map.of(), "{}"));
        hub.filled();
        final Visitor busy = entered();
        final Visitor leaving = entered();
        hub.subscribe(busy.client(), request(Topic.LOG));
        hub.subscribe(leaving.client(), request(Topic.TASKS));
        streams.watched.await();
        final CompletableFuture<Void> holding =
                CompletableFuture.runAsync(() -> hub.unsubscribe(busy.client(), "a"), threads);
        streams.held.await();
        assertThat(CompletableFuture.runAsync(() -> visitors.leave(leaving), threads))
                .succeedsWithin(LONG);
        streams.free.countDown();
        assertThat(holding).succeedsWithin(LONG);
        await().atMost(Patience.PATIENCE)
                .until(() ->
                        leaving.client().requests().isEmpty() && !hub.clients().contains(leaving.client()));
    }

    private Visitor entered() {
        return visitors.enter("token", new Nowhere()).visitor().orElseThrow();
    }

    private static Request request(Topic topic) {
        return new Request(
                "a",
                "team",
                Optional.empty(),
                Optional.of("task"),
                Map.of(),
                Set.of(topic),
                Optional.empty(),
                Optional.empty());
    }

    /** Holds up whoever leaves the lines of a task, who has the hub's lock. */
    private static final class BusyStreams implements LiveStreams {
        private final CountDownLatch watched = new CountDownLatch(1);
        private final CountDownLatch held = new CountDownLatch(1);
        private final CountDownLatch free = new CountDownLatch(1);

        @Override
        public void watchLines(TaskRef task) {
            watched.countDown();
        }

        @Override
        public void leaveLines(TaskRef task) {
            held.countDown();
            try {
                free.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void listen(Listener listener) {}

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
            return List.of();
        }

        @Override
        public List<Entry> linesAfter(TaskRef task, long sequence) {
            return List.of();
        }

        @Override
        public long lastEvent() {
            return 0;
        }

        @Override
        public long lastLine(TaskRef task) {
            return 0;
        }

        @Override
        public void close() {}
    }

    private static final class Everybody implements Callers {
        @Override
        public Optional<String> user(String token) {
            return Optional.of("jane");
        }

        @Override
        public boolean may(String token, Reading reading) {
            return true;
        }

        @Override
        public Duration freshness() {
            return Duration.ofHours(1);
        }
    }

    private static final class Nowhere implements Outlet {
        @Override
        public void send(List<Message> messages, Runnable sent) {}

        @Override
        public void close(Closing why) {}
    }

    private static final class Uncounted implements Traffic {
        @Override
        public void sent(int messages, Duration waited) {}

        @Override
        public void gap() {}

        @Override
        public void dropped() {}
    }
}
