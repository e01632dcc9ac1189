package dev.codeforge.operator.deadletter;

import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.QueueUnavailableException;
import dev.codeforge.jetstream.TaskQueue.QueuedTask;
import dev.codeforge.jetstream.WorkerControl;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Asks in parallel which messages a worker holds. */
final class Holders {
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private final Connections connections;

    Holders(Connections connections) {
        this.connections = connections;
    }

    /** Sequences of the messages whose task has a holder. */
    Set<Long> held(PoolQueues.PoolQueue queue, List<QueuedTask> tasks) {
        final WorkerControl control = connections.workers();
        final List<Callable<Boolean>> questions = tasks.stream()
                .map(task -> (Callable<Boolean>) () -> !task.taskId().isEmpty()
                        && control.holder(queue.task(task.taskId()), TIMEOUT).isPresent())
                .toList();
        final Set<Long> held = new HashSet<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            final List<Future<Boolean>> answers = threads.invokeAll(questions);
            for (int i = 0; i < tasks.size(); i++) {
                if (answers.get(i).get()) {
                    held.add(tasks.get(i).sequence());
                }
            }
            return held;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while asking for holders", e);
        } catch (ExecutionException e) {
            throw new QueueUnavailableException(
                    "holders were not asked: " + e.getCause().getMessage(), e);
        }
    }
}
