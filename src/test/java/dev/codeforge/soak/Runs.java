package dev.codeforge.soak;

import dev.codeforge.soak.Ledger.Run;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** All runs by task and, where there is one, by idempotency key. */
final class Runs {
    private final Map<String, List<Run>> byTask;
    private final Map<String, List<Task>> byKey;

    Runs(List<Task> tasks, List<Run> all) {
        byTask = all.stream().collect(Collectors.groupingBy(Run::task));
        byKey = tasks.stream().filter(task -> !task.key().isEmpty()).collect(Collectors.groupingBy(Task::key));
    }

    List<Run> of(Task task) {
        return byTask.getOrDefault(task.id(), List.of());
    }

    /** Ids of tasks that ran. */
    Set<String> ids() {
        return new HashSet<>(byTask.keySet());
    }

    Map<String, List<Task>> byKey() {
        return byKey;
    }

    /** Whether an agent came to its end in this attempt; with a key, in any attempt of any task of the key. */
    boolean ended(Task task, int attempt) {
        return task.key().isEmpty()
                ? of(task).stream()
                        .anyMatch(run -> run.attempt() == attempt && run.end().isPresent())
                : byKey.get(task.key()).stream()
                        .flatMap(same -> of(same).stream())
                        .anyMatch(run -> run.end().isPresent());
    }
}
