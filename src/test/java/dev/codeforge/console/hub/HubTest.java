package dev.codeforge.console.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.testing.MemoryStreams;
import dev.codeforge.testing.Patience;
import dev.codeforge.testing.UncountedTraffic;
import dev.codeforge.wire.TaskRef;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With streams that fail and answer at a test's word: what a real server does only by chance. */
final class HubTest {
    private static final long QUEUE_BYTES = 64 << 10;
    private static final TaskRef TASK = new TaskRef("team", "pool", "uid-1");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final MemoryStreams streams = new MemoryStreams();
    private final Hub hub =
            new Hub(streams, new Limits(10, 10, QUEUE_BYTES), new UncountedTraffic(), Clock.systemUTC());

    @BeforeEach
    void start() {
        hub.start();
        hub.filled();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    @Test
    void aGapThatIsLargerThanAQueueDropsNobody() {
        hub.put(task("greet", TASK.id()));
        final Screen quick = new Screen();
        final Screen slow = new Screen();
        quick.subscribe(log(Optional.of(0L)));
        slow.subscribe(log(Optional.of(0L)));
        quick.await("synced");
        slow.await("synced");
        slow.stopReading();
        // Four times what a queue holds.
        final int lines = (int) (4 * QUEUE_BYTES / 512);
        for (int number = 1; number < lines; number++) {
            streams.storeLine(streams.nextLine(TASK));
        }
        publishLine();
        quick.awaitLine(lines);
        assertThat(slow.client.isClosed()).isFalse();
        slow.readOn();
        slow.awaitLine(lines);
        publishLine();
        quick.awaitLine(lines + 1);
        slow.awaitLine(lines + 1);
        assertThat(quick.lines()).containsExactlyElementsOf(range(lines + 1));
        assertThat(slow.lines()).containsExactlyElementsOf(range(lines + 1));
    }

    @Test
    void whatIsSaidFasterThanAClientReadsDropsIt() {
        hub.put(task("greet", TASK.id()));
        final Screen slow = new Screen();
        slow.subscribe(log(Optional.empty()));
        slow.await("synced");
        slow.awaitHearing();
        slow.stopReading();
        for (int number = 1; number <= 4 * QUEUE_BYTES / 512; number++) {
            publishLine();
        }
        await().atMost(Patience.PATIENCE).until(() -> slow.closed.equals(List.of(Closing.TOO_SLOW)));
    }

    @Test
    void anEventThatIsReadBeforeItsTaskIsKnownComesWithTheTask() {
        hub.put(task("first", "uid-0"));
        final Screen first = new Screen();
        first.subscribe(events("first", "first", Optional.empty()));
        first.await("synced");
        streams.publishEvent(streams.storeEvent(TASK, "running"));
        // What comes after it has come: so it was passed on.
        streams.publishEvent(streams.storeEvent(new TaskRef("team", "pool", "uid-0"), "running"));
        first.await("event");
        final Screen heard = new Screen();
        final Screen read = new Screen();
        heard.subscribe(events("heard", Optional.empty()));
        read.subscribe(events("read", Optional.of(0L)));
        heard.await("synced");
        read.await("synced");
        streams.publishEvent(streams.storeEvent(TASK, "completed"));
        hub.put(task("greet", TASK.id()));
        await().atMost(Patience.PATIENCE).until(() -> read.events().equals(List.of("running", "completed")));
        await().atMost(Patience.PATIENCE).until(() -> heard.events().equals(List.of("completed")));
    }

    @Test
    void aStreamThatIsMadeAnewEndsWhatCountsByItsSequences() {
        hub.put(task("greet", TASK.id()));
        final Screen screen = new Screen();
        screen.subscribe(events("a", Optional.of(0L)));
        screen.await("synced");
        streams.publishEvent(streams.storeEvent(TASK, "running"));
        screen.await("event");
        streams.loseEvents();
        streams.connect();
        assertThat(screen.await("error").path("reason").asText()).isEqualTo("TooOld");
        assertThat(screen.client.requests()).isEmpty();
    }

    @Test
    void aLogEndsWithItsTaskAndNotWithTheNextOfItsName() {
        hub.put(task("greet", TASK.id()));
        final Screen screen = new Screen();
        screen.subscribe(log(Optional.empty()));
        screen.await("synced");
        assertThat(streams.isWatched(TASK)).isTrue();
        hub.put(task("greet", "uid-2"));
        assertThat(screen.await("error").path("reason").asText()).isEqualTo("NotFound");
        assertThat(streams.isWatched(TASK)).isFalse();
    }

    @Test
    void aLogThatIsLeftAndOpenedAgainBeforeNatsAnswersIsHeard() {
        hub.put(task("greet", TASK.id()));
        streams.holdSubscriptions();
        final Screen screen = new Screen();
        screen.subscribe(log(Optional.of(0L)));
        await().atMost(Patience.PATIENCE).until(() -> streams.isWatched(TASK));
        hub.unsubscribe(screen.client, "log");
        screen.subscribe(log(Optional.of(0L)));
        await().atMost(Patience.PATIENCE).until(() -> streams.isWatched(TASK));
        streams.answerSubscriptions();
        screen.await("synced");
        assertThat(streams.isWatched(TASK)).isTrue();
    }

    private static Item task(String name, String uid) {
        return new Item(Item.Kind.TASK, "team", name, uid, "pool", Map.of(), "{}");
    }

    private static Request log(Optional<Long> afterLine) {
        return new Request(
                "log",
                "team",
                Optional.empty(),
                Optional.of("greet"),
                Map.of(),
                Set.of(Topic.LOG),
                Optional.empty(),
                afterLine);
    }

    private void publishLine() {
        streams.publish(streams.storeLine(streams.nextLine(TASK)));
    }

    private static Request events(String id, Optional<Long> afterEvent) {
        return events(id, "greet", afterEvent);
    }

    private static Request events(String id, String task, Optional<Long> afterEvent) {
        return new Request(
                id,
                "team",
                Optional.empty(),
                Optional.of(task),
                Map.of(),
                Set.of(Topic.EVENTS),
                afterEvent,
                Optional.empty());
    }

    private static List<Integer> range(int last) {
        return IntStream.rangeClosed(1, last).boxed().toList();
    }

    /** A client that reads, or does not. */
    private final class Screen implements Outlet {
        private final List<JsonNode> seen = new ArrayList<>();
        private final List<Closing> closed = new ArrayList<>();
        private final List<Runnable> unread = new ArrayList<>();
        private boolean reads = true;
        private final Client client = hub.connect(this);

        void subscribe(Request request) {
            hub.subscribe(client, request);
        }

        synchronized void stopReading() {
            reads = false;
        }

        void readOn() {
            final List<Runnable> late;
            synchronized (this) {
                reads = true;
                late = List.copyOf(unread);
                unread.clear();
            }
            late.forEach(Runnable::run);
        }

        @Override
        public void send(List<Message> messages, Runnable sent) {
            synchronized (this) {
                messages.forEach(message -> seen.add(parsed(message)));
                if (!reads) {
                    unread.add(sent);
                    return;
                }
            }
            Thread.startVirtualThread(sent);
        }

        @Override
        public synchronized void close(Closing why) {
            closed.add(why);
        }

        private synchronized List<JsonNode> of(String type) {
            return seen.stream()
                    .filter(message -> message.path("type").asText().equals(type))
                    .toList();
        }

        JsonNode await(String type) {
            return org.awaitility.Awaitility.await()
                    .atMost(Patience.PATIENCE)
                    .until(() -> of(type), found -> !found.isEmpty())
                    .getLast();
        }

        List<Integer> lines() {
            return of("log").stream()
                    .map(message -> message.path("line").path("seq").asInt())
                    .toList();
        }

        void awaitLine(long number) {
            org.awaitility.Awaitility.await().atMost(Patience.PATIENCE).until(() -> hasLine(number));
        }

        private boolean hasLine(long number) {
            return !lines().isEmpty() && lines().getLast() == number;
        }

        /**
         * Returns when lines are passed on as they are heard. Only then one passes that the stream does not have; while the stream is
         * read, that one is waited for.
         */
        void awaitHearing() {
            boolean heard = false;
            while (!heard) {
                final LiveStreams.Entry line = streams.nextLine(TASK);
                streams.publish(line);
                final long end = System.nanoTime() + Duration.ofSeconds(1).toNanos();
                while (!hasLine(line.sequence()) && System.nanoTime() < end) {
                    LockSupport.parkNanos(1_000_000);
                }
                heard = hasLine(line.sequence());
                streams.storeLine(line);
                awaitLine(line.sequence());
            }
        }

        List<String> events() {
            return of("event").stream()
                    .map(message -> message.path("event").path("event").asText())
                    .toList();
        }
    }

    private static JsonNode parsed(Message message) {
        try {
            return JSON.readTree(message.json());
        } catch (java.io.IOException e) {
            throw new IllegalStateException("a message is JSON", e);
        }
    }
}
