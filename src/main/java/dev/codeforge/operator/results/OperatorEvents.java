package dev.codeforge.operator.results;

import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Events that the operator writes when it, and not a worker, ends an attempt or releases a run. */
public final class OperatorEvents {
    private final DispatchKey key;
    private final Clock clock;

    /** @param clock of NATS, which stores the events */
    public OperatorEvents(DispatchKey key, Clock clock) {
        this.key = key;
        this.clock = clock;
    }

    /** The last event whose proof holds. */
    public Optional<TaskEvent> last(Results results, TaskRef task) {
        return results.last(task).flatMap(this::proven);
    }

    private Optional<TaskEvent> proven(StoredEvent event) {
        return event.proven(key);
    }

    /**
     * Ends an attempt unless it has an outcome or a later attempt has started. Also if another writer was faster, the
     * attempt has an outcome afterwards.
     */
    public void endUnfinished(
            Results results, TaskRef task, int attempt, TaskEvent.Kind kind, TaskEvent.Failure failure) {
        boolean ended = false;
        while (!ended) {
            final Optional<StoredEvent> stored = results.last(task);
            final Optional<TaskEvent> last = stored.flatMap(this::proven);
            ended = last.filter(event ->
                                    event.attempt() > attempt || (event.attempt() == attempt && event.isTerminal()))
                            .isPresent()
                    || end(
                            results,
                            task,
                            attempt,
                            kind,
                            failure,
                            stored.map(StoredEvent::sequence).orElse(0L),
                            last,
                            Optional.empty());
        }
    }

    /**
     * Releases a run in place of its lost worker.
     *
     * @param run the last event of the run
     * @return false when another event came in between: plan again
     */
    public boolean giveBack(
            Results results, TaskRef task, TaskEvent run, TaskEvent.Failure why, long expectedSequence) {
        final TaskEvent event = run.givenBack(UUID.randomUUID().toString(), clock.instant(), why);
        final byte[] body = event.toJson();
        return results.append(task, event.eventId(), body, key.proof(task.id(), run.attempt(), body), expectedSequence)
                .isPresent();
    }

    /**
     * Ends an attempt and keeps the fields of the last event.
     *
     * @param inherited the checkpoint that the attempt started from, if none of its own events has one
     * @return false when another event came in between: reconcile again
     */
    public boolean end(
            Results results,
            TaskRef task,
            int attempt,
            TaskEvent.Kind kind,
            TaskEvent.Failure failure,
            long expectedSequence,
            Optional<TaskEvent> last,
            Optional<String> inherited) {
        final Instant now = clock.instant();
        final Optional<TaskEvent> same = last.filter(event -> event.attempt() == attempt);
        final TaskEvent event = new TaskEvent(
                task.id(),
                same.map(TaskEvent::projectId).orElse(""),
                kind == TaskEvent.Kind.CANCELLED ? "cancelled" : "failed",
                kind,
                UUID.randomUUID().toString(),
                attempt,
                same.map(TaskEvent::delivery).orElse(0),
                same.map(TaskEvent::stream).orElse(""),
                same.map(TaskEvent::sequence).orElse(0L),
                same.map(TaskEvent::worker).orElse(""),
                now,
                same.map(TaskEvent::startTime).orElse(null),
                now,
                same.map(TaskEvent::output).orElse(""),
                List.of(),
                failure.message(),
                // Usage covers the whole task: the usage of an earlier attempt applies until a newer event has one.
                last.map(TaskEvent::tokensIn).orElse(0L),
                last.map(TaskEvent::tokensOut).orElse(0L),
                last.map(TaskEvent::costUsd).orElse(BigDecimal.ZERO),
                last.map(TaskEvent::usage).orElse(new TaskEvent.Usage(0, 0, "0")),
                same.map(TaskEvent::result).orElse(new TaskEvent.Result(null, 0, null, null)),
                failure,
                same.map(TaskEvent::checkpoint).or(() -> inherited).orElse(null));
        final byte[] body = event.toJson();
        return results.append(task, event.eventId(), body, key.proof(task.id(), attempt, body), expectedSequence)
                .isPresent();
    }
}
