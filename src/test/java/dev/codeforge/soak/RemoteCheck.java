package dev.codeforge.soak;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.soak.Remote.Branch;
import dev.codeforge.soak.Remote.Commit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Whether the repositories have the work of each task that succeeded, once, and nothing else. */
final class RemoteCheck {
    private final Map<String, Branch> byName;
    private final Runs runs;
    private final Breaches breaches;

    RemoteCheck(List<Branch> branches, Runs runs, Breaches breaches) {
        this.byName = branches.stream().collect(Collectors.toMap(Branch::name, Function.identity()));
        this.runs = runs;
        this.breaches = breaches;
    }

    /** By this name a task pushes; two of one key name the same work. */
    static String branchOf(String name, String key) {
        return "soak/" + (key.isEmpty() ? name : key);
    }

    void check(List<Task> tasks, Function<Task, Optional<AgentTaskStatus>> statuses) {
        final Map<String, Set<Task>> owners = new HashMap<>();
        for (final Task task : tasks) {
            final String name = branchOf(task.name(), task.key());
            owners.computeIfAbsent(name, unseen -> new HashSet<>()).add(task);
            statuses.apply(task)
                    .filter(status -> status.phase() == Phase.Succeeded)
                    .ifPresent(status -> checkPushed(task, status, Optional.ofNullable(byName.get(name))));
        }
        byName.forEach((name, branch) -> {
            final Set<Task> own = owners.getOrDefault(name, Set.of());
            if (own.isEmpty()) {
                breaches.add(Promise.WORK_KEPT, name + " (of no task)");
            } else {
                checkOnce(branch, own);
            }
        });
    }

    private void checkPushed(Task task, AgentTaskStatus status, Optional<Branch> branch) {
        final AgentTaskStatus.GitResult git =
                status.result() == null ? null : status.result().git();
        if (git == null || !git.pushed()) {
            breaches.add(Promise.WORK_KEPT, task.name() + " (succeeded and has pushed nothing: " + git + ")");
        } else if (branch.filter(there -> there.head().equals(git.commit())).isEmpty()) {
            breaches.add(
                    Promise.WORK_KEPT,
                    task.name() + " (tells of " + git.commit() + ", there is "
                            + branch.map(Branch::head).orElse("no branch") + ")");
        }
    }

    /** A rerun goes on from what was there, and is paid for anew. */
    private void checkOnce(Branch branch, Set<Task> own) {
        final Set<String> ids = own.stream().map(Task::id).collect(Collectors.toSet());
        final int most = own.iterator().next().kind() == Kind.RERUN ? 2 : 1;
        final Set<Integer> attempts =
                branch.commits().stream().map(Commit::attempt).collect(Collectors.toSet());
        final boolean right = branch.commits().stream().allMatch(commit -> ids.contains(commit.task()))
                && attempts.size() == branch.commits().size()
                && branch.commits().size() <= most;
        if (!right) {
            breaches.add(Promise.WORK_ONCE, branch.name() + " " + branch.commits());
        }
        final Set<String> known = own.stream()
                .flatMap(task -> runs.of(task).stream())
                .map(run -> run.task() + " " + run.attempt() + " " + run.worker() + " " + run.pid())
                .collect(Collectors.toSet());
        final boolean ofRuns = known.containsAll(branch.runs())
                && branch.runs().size() == branch.commits().size();
        if (!ofRuns) {
            breaches.add(Promise.WORK_ONCE, branch.name() + " has work of " + branch.runs());
        }
    }
}
