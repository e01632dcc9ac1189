package dev.codeforge.jetstream;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.wire.TaskRef;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class NatsLiveStreamsIT {
    private static final int TASKS = 200;

    private JetStreamFixture jetStream;
    private LiveStreams streams;
    private final AtomicInteger connections = new AtomicInteger();

    @BeforeEach
    void aConnectionThatListens() throws Exception {
        jetStream = new JetStreamFixture();
        streams = LiveStreams.of(jetStream.server.consoleEndpoint(), "test");
        streams.listen(new LiveStreams.Listener() {
            @Override
            public void connected() {
                connections.incrementAndGet();
            }

            @Override
            public void event(LiveStreams.Entry event) {}

            @Override
            public void line(LiveStreams.Entry line) {}
        });
        await().atMost(PATIENCE).until(() -> connections.get() == 1);
    }

    @AfterEach
    void stop() {
        streams.close();
        jetStream.close();
    }

    @Test
    void theLinesOfManyTasksAreWatchedAtOnceAndTheConnectionStays() throws Exception {
        try (ExecutorService watchers = Executors.newVirtualThreadPerTaskExecutor()) {
            final var watching = IntStream.range(0, TASKS)
                    .mapToObj(number -> new TaskRef("ns", "pool", "task-" + number))
                    .map(task -> watchers.submit(() -> streams.watchLines(task)))
                    .toList();
            for (final Future<?> watched : watching) {
                watched.get();
            }
        }
        assertThat(streams.isConnected()).isTrue();
        assertThat(connections).hasValue(1);
    }
}
