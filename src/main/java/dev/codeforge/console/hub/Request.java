package dev.codeforge.console.hub;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A client's subscription.
 *
 * @param id chosen by the client
 * @param pool of this pool only
 * @param task of the task of this name only
 * @param labels of tasks with these labels only
 * @param afterEvent continue after this sequence of RESULTS; absent for new events only
 * @param afterLine continue after this sequence of LOGS; absent for new lines only
 */
public record Request(
        String id,
        String namespace,
        Optional<String> pool,
        Optional<String> task,
        Map<String, String> labels,
        Set<Topic> topics,
        Optional<Long> afterEvent,
        Optional<Long> afterLine) {

    boolean has(Topic topic) {
        return topics.contains(topic);
    }

    /** True if the filter needs the AgentTask, not only its pool. */
    boolean isOfSomeTasks() {
        return task.isPresent() || !labels.isEmpty();
    }

    boolean wants(Item item) {
        return switch (item.kind()) {
            case POOL ->
                has(Topic.POOLS)
                        && !isOfSomeTasks()
                        && pool.map(item.name()::equals).orElse(true);
            case TASK -> has(Topic.TASKS) && isAbout(item);
        };
    }

    boolean isAbout(Item item) {
        return item.kind() == Item.Kind.TASK
                && isOfPool(item.pool())
                && task.map(item.name()::equals).orElse(true)
                && item.labels().entrySet().containsAll(labels.entrySet());
    }

    boolean isOfPool(String name) {
        return pool.map(name::equals).orElse(true);
    }
}
