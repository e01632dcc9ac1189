package dev.codeforge.operator.results;

import dev.codeforge.api.AgentTask;
import dev.codeforge.jetstream.Connections;
import dev.codeforge.jetstream.Consumption;
import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.wire.DispatchKey;
import dev.codeforge.wire.TaskEvent;
import dev.codeforge.wire.TaskRef;
import io.javaoperatorsdk.operator.processing.event.Event;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ObjLongConsumer;

/**
 * The events of tasks as an event source. The consumer hands over each event, and the sweep finds what the consumer did not
 * bring. An event that reports nothing beyond the task's status is acknowledged and triggers nothing. Any other is kept, triggers a
 * reconcile, and is acknowledged when the status that it leads to is stored, or when a later event of the task is kept
 * instead: events are cumulative.
 */
public final class TaskResults extends AbstractEventSource<TaskEvent, AgentTask> {
    private static final Runnable NOT_DELIVERED = () -> {};

    private final Connections connections;
    private final DispatchKey key;
    private final TaskIndex tasks;
    private final ObjLongConsumer<TaskEvent> listener;
    /** By task: its last proven event, until the status is stored. */
    private final Map<String, Kept> kept = new ConcurrentHashMap<>();

    private volatile Optional<Consumption> consumption = Optional.empty();

    private record Kept(StoredEvent stored, TaskEvent event, Runnable acknowledge) {
        Kept or(Kept later) {
            if (later.stored.sequence() < stored.sequence()) {
                later.acknowledge.run();
                return this;
            }
            if (later.stored.sequence() == stored.sequence()) {
                // The same event, redelivered or found by the sweep, which has nothing to acknowledge.
                return later.acknowledge == NOT_DELIVERED ? this : later;
            }
            acknowledge.run();
            return later;
        }
    }

    /**
     * What NATS has of a task.
     *
     * @param sequence of its last event, with a valid proof or not; 0 for none
     * @param proven its last event with a valid proof
     */
    public record Last(long sequence, Optional<StoredEvent> proven) {}

    /** @param listener gets each proven event of an unfinished task, with its sequence; the same one may come again */
    public TaskResults(Connections connections, DispatchKey key, TaskIndex tasks, ObjLongConsumer<TaskEvent> listener) {
        super(TaskEvent.class, "results");
        this.connections = connections;
        this.key = key;
        this.tasks = tasks;
        this.listener = listener;
    }

    /**
     * Starts to consume. Call this on the leader only, because a standby instance would hold the events back, and after
     * the caches are filled, because events of live tasks would seem unknown before.
     */
    public void begin() {
        consumption = Optional.of(connections.results().consume(this::take));
    }

    /** Stops to consume. The next leader gets what was not acknowledged. */
    public void end() {
        consumption.ifPresent(Consumption::close);
    }

    /** Whether the consumer works, or has not begun. */
    public boolean isAlive() {
        return consumption.map(Consumption::isAlive).orElse(true);
    }

    private void take(Results.Delivery delivery) {
        final StoredEvent stored = delivery.event();
        final Optional<AgentTask> task = tasks.byUid(stored.task().id())
                // On another pool's subject it is not this task's event, even with this task's id.
                .filter(found -> TaskIndex.ref(found).equals(stored.task()))
                .filter(found -> !found.isFinished());
        if (task.isEmpty()) {
            // An outside producer's, or of a task that is deleted or has ended. The stream keeps it.
            delivery.ack();
            return;
        }
        final Optional<TaskEvent> event = stored.proven(key);
        event.ifPresent(proven -> listener.accept(proven, stored.sequence()));
        if (event.isEmpty()) {
            delivery.ack();
            // It hides the last proven one from workers, so the task has to be judged without it.
            trigger(task.get());
        } else if (StatusLag.isBehind(task.get(), event.get())) {
            keep(new Kept(stored, event.get(), delivery::ack), task.get());
        } else {
            delivery.ack();
        }
    }

    /** Finds events that the consumer did not bring, such as those of a stream that was restored: one request for 1,024 tasks. */
    public void sweep() {
        final List<AgentTask> unfinished = tasks.unfinished();
        final Map<TaskRef, StoredEvent> last = connections
                .results()
                .lastOf(unfinished.stream().map(TaskIndex::ref).toList());
        for (final AgentTask task : unfinished) {
            final Optional<StoredEvent> stored = Optional.ofNullable(last.get(TaskIndex.ref(task)));
            stored.flatMap(event -> event.proven(key))
                    .filter(event -> StatusLag.isBehind(task, event))
                    .ifPresent(event -> keep(new Kept(stored.get(), event, NOT_DELIVERED), task));
        }
        dropEnded();
    }

    /** An event that came in while its task ended or was deleted is kept after its last reconcile. */
    private void dropEnded() {
        kept.forEach((uid, news) -> {
            if (tasks.byUid(uid).filter(task -> !task.isFinished()).isEmpty() && kept.remove(uid, news)) {
                news.acknowledge().run();
            }
        });
    }

    private void keep(Kept news, AgentTask task) {
        kept.merge(task.uid(), news, Kept::or);
        trigger(task);
    }

    private void trigger(AgentTask task) {
        if (isRunning()) {
            getEventHandler().handleEvent(new Event(ResourceID.fromResource(task)));
        }
    }

    /** Read from the leader of the stream; an event that was kept counts where the stream's last one has no valid proof. */
    public Last last(AgentTask task) {
        final Optional<StoredEvent> stored = connections.results().last(TaskIndex.ref(task));
        return new Last(
                stored.map(StoredEvent::sequence).orElse(0L),
                stored.filter(event -> event.proven(key).isPresent())
                        .or(() -> Optional.ofNullable(kept.get(task.uid())).map(Kept::stored)));
    }

    /** Whether an event waits for the task's status to be stored. */
    public boolean isAhead(AgentTask task) {
        return kept.containsKey(task.uid());
    }

    /** A status is stored that covers the events up to this sequence. */
    public void settle(AgentTask task, long throughSequence) {
        kept.computeIfPresent(task.uid(), (uid, news) -> {
            if (news.stored().sequence() > throughSequence) {
                return news;
            }
            news.acknowledge().run();
            return null;
        });
    }

    /** The event that a task's status does not show yet. */
    @Override
    public Set<TaskEvent> getSecondaryResources(AgentTask task) {
        return Optional.ofNullable(kept.get(task.uid()))
                .map(news -> Set.of(news.event()))
                .orElse(Set.of());
    }
}
