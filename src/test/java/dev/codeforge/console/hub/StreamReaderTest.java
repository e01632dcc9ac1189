package dev.codeforge.console.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.testing.MemoryStreams;
import dev.codeforge.testing.Patience;
import dev.codeforge.wire.TaskRef;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class StreamReaderTest {
    private static final TaskRef TASK = new TaskRef("team", "pool", "uid");
    private static final int CLIENTS = 20;

    private final MemoryStreams streams = new MemoryStreams();
    private final StreamReader reader = StreamReader.ofLines(streams, TASK);

    @Test
    void clientsThatComeBackTogetherShareWhatOneOfThemReads() throws Exception {
        store(5);
        streams.holdReads();
        final List<Future<List<Entry>>> pages = new ArrayList<>();
        final List<Thread> waiting = new ArrayList<>();
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(task -> {
            final Thread thread = new Thread(task);
            waiting.add(thread);
            return thread;
        })) {
            pages.add(threads.submit(() -> reader.after(0, () -> false)));
            await().atMost(Patience.PATIENCE).until(() -> streams.reads() == 1);
            for (int client = 1; client < CLIENTS; client++) {
                final long after = client % 4;
                pages.add(threads.submit(() -> reader.after(after, () -> false)));
            }
            await().atMost(Patience.PATIENCE)
                    .until(() -> waiting.stream().allMatch(thread -> thread.getState() == Thread.State.WAITING));
            streams.answerReads();
        }
        assertThat(streams.reads()).isEqualTo(1);
        assertThat(sequences(pages.getFirst().get())).containsExactly(1L, 2L, 3L, 4L, 5L);
        for (int client = 1; client < CLIENTS; client++) {
            assertThat(sequences(pages.get(client).get()))
                    .containsExactlyElementsOf(
                            LongStream.rangeClosed(client % 4 + 1, 5).boxed().toList());
        }
    }

    @Test
    void whatNobodyWaitedForIsReadAnew() throws Exception {
        store(1);
        assertThat(sequences(reader.after(0, () -> false))).containsExactly(1L);
        store(1);
        assertThat(sequences(reader.after(0, () -> false))).containsExactly(1L, 2L);
        assertThat(reader.after(2, () -> false)).isEmpty();
    }

    private void store(int lines) {
        for (int line = 0; line < lines; line++) {
            streams.storeLine(streams.nextLine(TASK));
        }
    }

    private static List<Long> sequences(List<Entry> page) {
        return page.stream().map(Entry::sequence).toList();
    }
}
