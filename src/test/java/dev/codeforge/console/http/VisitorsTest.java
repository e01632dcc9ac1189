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
import dev.codeforge.console.identity.Callers;
import dev.codeforge.testing.MemoryStreams;
import dev.codeforge.testing.Patience;
import dev.codeforge.testing.UncountedTraffic;
import dev.codeforge.wire.TaskRef;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class VisitorsTest {
    private static final TaskRef TASK = new TaskRef("team", "pool", "uid");

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final MemoryStreams streams = new MemoryStreams();
    private final Hub hub = new Hub(streams, new Limits(9, 9, 1 << 20), new UncountedTraffic(), Clock.systemUTC());
    private final Visitors visitors = new Visitors(hub, new Everybody(), Set.of(), 9);

    @AfterEach
    void stop() {
        streams.letGo();
        visitors.close();
        hub.close();
        threads.close();
    }

    @Test
    void aConnectionThatEndsDoesNotWaitForTheHub() throws Exception {
        hub.put(new Item(Item.Kind.TASK, "team", "task", TASK.id(), "pool", Map.of(), "{}"));
        hub.filled();
        final Visitor busy = entered();
        final Visitor leaving = entered();
        hub.subscribe(busy.client(), request(Topic.LOG));
        hub.subscribe(leaving.client(), request(Topic.TASKS));
        await().atMost(Patience.PATIENCE).until(() -> streams.isWatched(TASK));
        streams.holdLeaving();
        final CompletableFuture<Void> holding =
                CompletableFuture.runAsync(() -> hub.unsubscribe(busy.client(), "a"), threads);
        streams.awaitLeaving();
        assertThat(CompletableFuture.runAsync(() -> visitors.leave(leaving), threads))
                .succeedsWithin(Patience.PATIENCE);
        streams.letGo();
        assertThat(holding).succeedsWithin(Patience.PATIENCE);
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
}
