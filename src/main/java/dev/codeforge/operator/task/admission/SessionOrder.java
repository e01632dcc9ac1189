package dev.codeforge.operator.task.admission;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.index.TaskIndex;
import dev.codeforge.wire.SessionKey;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The order in which the tasks of a session run: {@link TaskIndex#OLDEST_FIRST}. */
public final class SessionOrder {
    private SessionOrder() {}

    public static boolean hasSession(AgentTask task) {
        return !task.getSpec().sessionName().isEmpty();
    }

    static SessionKey keyOf(AgentTask task) {
        return new SessionKey(
                task.getMetadata().getNamespace(),
                task.getSpec().workerPoolRef().name(),
                task.getSpec().sessionName());
    }

    /**
     * The task that this one waits for while the turn is free; empty when this one is next. It is the task just before
     * in the order, so that one end triggers one task.
     *
     * @param rivals the other unfinished tasks of the session
     */
    static Optional<AgentTask> before(AgentTask task, Collection<AgentTask> rivals) {
        if (hasBegun(task)) {
            return Optional.empty();
        }
        return earlier(task, rivals)
                .max(TaskIndex.OLDEST_FIRST)
                .or(() -> rivals.stream().filter(SessionOrder::hasBegun).findFirst());
    }

    /** The tasks to reconcile when a task has ended or is gone: the first in order, and the one that waited for it. */
    public static List<AgentTask> after(AgentTask ended, Collection<AgentTask> rivals) {
        return Stream.of(
                        rivals.stream().min(TaskIndex.OLDEST_FIRST),
                        rivals.stream()
                                .filter(other -> TaskIndex.OLDEST_FIRST.compare(other, ended) > 0)
                                .min(TaskIndex.OLDEST_FIRST))
                .flatMap(Optional::stream)
                .distinct()
                .toList();
    }

    private static Stream<AgentTask> earlier(AgentTask task, Collection<AgentTask> rivals) {
        return rivals.stream().filter(other -> TaskIndex.OLDEST_FIRST.compare(other, task) < 0);
    }

    /** True if the task's attempt was published or a retry follows. Also holds when the session's record was lost. */
    private static boolean hasBegun(AgentTask task) {
        final AgentTaskStatus status = task.statusOrUnobserved();
        final boolean published = status.attempts() > 0 && status.attempts() >= status.currentAttempt();
        return published || status.phase() == Phase.Retrying;
    }
}
