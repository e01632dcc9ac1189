package dev.codeforge.operator.task;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.Phase;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolStatus;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.operator.status.Conditions;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.operator.task.admission.Backlog;
import io.fabric8.kubernetes.api.model.Condition;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Maps changes of a pool to the tasks that wait for them. Most writes of a pool's status change counts only, every two
 * seconds while its queue moves, and trigger no task.
 */
final class PoolNews {
    /** As many tasks as are reconciled at once. Each task that is published offers room to the next. */
    private static final int AT_ONCE = 8;

    private static final Set<String> FOR_THE_POOL = Stream.of(
                    Reason.PoolNotFound, Reason.PoolNotReady, Reason.PoolTerminating, Reason.SubjectOccupied)
            .map(Reason::name)
            .collect(Collectors.toUnmodifiableSet());

    private PoolNews() {}

    static InformerEventSource<WorkerPool, AgentTask> source(
            EventSourceContext<AgentTask> context, TaskIndex tasks, Backlog backlog) {
        return new InformerEventSource<>(
                InformerEventSourceConfiguration.from(WorkerPool.class, AgentTask.class)
                        .withPrimaryToSecondaryMapper((AgentTask task) -> Set.of(TaskIndex.poolOf(task)))
                        .withOnUpdateFilter(PoolNews::concernsTasks)
                        .withSecondaryToPrimaryMapper(pool -> concerned(
                                        pool,
                                        tasks.of(
                                                pool.getMetadata().getNamespace(),
                                                pool.getMetadata().getName()),
                                        backlog)
                                .map(ResourceID::fromResource)
                                .collect(Collectors.toSet()))
                        .build(),
                context);
    }

    /** True if the pool serves in another way than before, or its queue has become shorter. */
    static boolean concernsTasks(WorkerPool now, WorkerPool before) {
        final WorkerPoolStatus status = now.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        final WorkerPoolStatus former = before.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        return !Objects.equals(
                        now.getMetadata().getGeneration(), before.getMetadata().getGeneration())
                || now.isTerminating() != before.isTerminating()
                || !verdict(status).equals(verdict(former))
                || messages(status) < messages(former);
    }

    /** The part of a pool's status that decides where a task is published, or why it is not. */
    private static List<Object> verdict(WorkerPoolStatus status) {
        final List<String> place = status.queue() == null
                ? List.of()
                : List.of(status.queue().stream(), status.queue().subject());
        return List.of(
                place,
                Conditions.find(status.conditions(), "QueueReady")
                        .map((Condition ready) -> List.of(ready.getStatus(), ready.getReason()))
                        .orElse(List.of()));
    }

    private static long messages(WorkerPoolStatus status) {
        return status.queue() == null
                ? 0
                : status.queue().waiting() + status.queue().running();
    }

    private static Stream<AgentTask> concerned(WorkerPool pool, List<AgentTask> tasks, Backlog backlog) {
        final WorkerPoolStatus status = pool.observedStatus().orElseGet(WorkerPoolStatus::unobserved);
        final boolean serves = !pool.isTerminating() && Conditions.isTrue(status.conditions(), "QueueReady");
        final int room = serves ? room(pool, status) : Integer.MAX_VALUE;
        return Stream.concat(
                tasks.stream().filter(PoolNews::waitsForItsPool),
                backlog.offerAll(ResourceID.fromResource(pool), room).stream());
    }

    /** A limit in bytes is not considered: a task that finds no room waits for the pool's next change. */
    private static int room(WorkerPool pool, WorkerPoolStatus status) {
        final Integer most = pool.getSpec().queue().maxMessages();
        return most == null ? AT_ONCE : (int) Math.max(0, Math.min(AT_ONCE, most - messages(status)));
    }

    private static boolean waitsForItsPool(AgentTask task) {
        return task.observedStatus()
                .map(status -> status.phase() == null
                        || (status.phase() == Phase.Pending
                                && Conditions.find(status.conditions(), "Ready")
                                        .filter(ready -> FOR_THE_POOL.contains(ready.getReason()))
                                        .isPresent()))
                .orElse(true);
    }
}
