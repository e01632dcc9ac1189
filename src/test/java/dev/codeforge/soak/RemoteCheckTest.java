package dev.codeforge.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.soak.Ledger.Run;
import dev.codeforge.soak.Remote.Branch;
import dev.codeforge.soak.Remote.Commit;
import dev.codeforge.testing.Resources;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What is wrong with the repositories is found, and nothing else is called so. */
final class RemoteCheckTest {
    private static final String PUSHED = "{phase: Succeeded, attempts: 1, result: {git: {commit: c1, pushed: true}}}";

    private final Task task = task("a", Kind.PLAIN, "");

    @Test
    void theCommitOfASuccessIsOnItsBranch() {
        final Branch branch = branch("a", List.of(new Commit("c1", "a", 1)), "a 1 w 1");
        assertThat(breaches(List.of(branch), List.of(task), PUSHED, run("a", 1, "w")))
                .isEmpty();
    }

    @Test
    void aSuccessWithoutABranchHasLostItsWork() {
        assertThat(breaches(List.of(), List.of(task), PUSHED, run("a", 1, "w"))).containsOnlyKeys(Promise.WORK_KEPT);
    }

    @Test
    void aSuccessThatTellsOfAnotherCommitHasLostItsWork() {
        final Branch branch = branch("a", List.of(new Commit("c2", "a", 1)), "a 1 w 1");
        assertThat(breaches(List.of(branch), List.of(task), PUSHED, run("a", 1, "w")))
                .containsOnlyKeys(Promise.WORK_KEPT);
    }

    @Test
    void aSuccessThatHasPushedNothingHasLostItsWork() {
        assertThat(breaches(List.of(), List.of(task), "{phase: Succeeded, attempts: 1}", run("a", 1, "w")))
                .containsOnlyKeys(Promise.WORK_KEPT);
    }

    @Test
    void whoHasNotSucceededMayHavePushedOrNot() {
        final Branch branch = branch("a", List.of(new Commit("c1", "a", 1)), "a 1 w 1");
        for (final List<Branch> there : List.of(List.<Branch>of(), List.of(branch))) {
            assertThat(breaches(there, List.of(task), "{phase: Cancelled, attempts: 1}", run("a", 1, "w")))
                    .isEmpty();
        }
    }

    @Test
    void twoPaidRunsOnOneBranchAreFound() {
        final Branch branch =
                branch("a", List.of(new Commit("c1", "a", 2), new Commit("c0", "a", 1)), "a 1 w 1", "a 2 w 1");
        final Run[] both = {run("a", 1, "w"), run("a", 2, "w")};
        assertThat(breaches(List.of(branch), List.of(task), PUSHED, both)).containsOnlyKeys(Promise.WORK_ONCE);
        // But a rerun is asked for.
        assertThat(breaches(List.of(branch), List.of(task("a", Kind.RERUN, "")), PUSHED, both))
                .isEmpty();
    }

    @Test
    void twoCommitsOfOneAttemptAreFoundAlsoOfARerun() {
        final Branch branch =
                branch("a", List.of(new Commit("c1", "a", 1), new Commit("c0", "a", 1)), "a 1 w 1", "a 1 x 1");
        assertThat(breaches(
                        List.of(branch),
                        List.of(task("a", Kind.RERUN, "")),
                        PUSHED,
                        run("a", 1, "w"),
                        run("a", 1, "x")))
                .containsOnlyKeys(Promise.WORK_ONCE);
    }

    @Test
    void theWorkOfTwoRunsInOneCommitIsFound() {
        final Branch branch = branch("a", List.of(new Commit("c1", "a", 1)), "a 1 w 1", "a 1 x 1");
        assertThat(breaches(List.of(branch), List.of(task), PUSHED, run("a", 1, "w"), run("a", 1, "x")))
                .containsOnlyKeys(Promise.WORK_ONCE);
    }

    @Test
    void workOfARunThatNobodySawIsFound() {
        final Branch branch = branch("a", List.of(new Commit("c1", "a", 1)), "a 1 x 1");
        assertThat(breaches(List.of(branch), List.of(task), PUSHED, run("a", 1, "w")))
                .containsOnlyKeys(Promise.WORK_ONCE);
    }

    @Test
    void anothersCommitIsFound() {
        final Branch branch = branch("a", List.of(new Commit("c1", "b", 1)), "a 1 w 1");
        assertThat(breaches(List.of(branch), List.of(task), PUSHED, run("a", 1, "w")))
                .containsOnlyKeys(Promise.WORK_ONCE);
    }

    @Test
    void aBranchOfNobodyIsFound() {
        final Branch branch = branch("b", List.of(new Commit("c1", "b", 1)), "b 1 w 1");
        assertThat(breaches(List.of(branch), List.of(), PUSHED)).containsOnlyKeys(Promise.WORK_KEPT);
    }

    @Test
    void tasksOfOneKeyShareTheirWork() {
        final Branch branch = branch("k", List.of(new Commit("c1", "a", 1)), "a 1 w 1");
        assertThat(breaches(
                        List.of(branch),
                        List.of(task("a", Kind.KEYED, "k"), task("b", Kind.KEYED, "k")),
                        PUSHED,
                        run("a", 1, "w")))
                .isEmpty();
    }

    private static Map<Promise, List<String>> breaches(
            List<Branch> branches, List<Task> tasks, String status, Run... all) {
        final Breaches breaches = new Breaches();
        new RemoteCheck(branches, new Runs(tasks, List.of(all)), breaches)
                .check(tasks, task -> Optional.of(Resources.of(AgentTaskStatus.class, status)));
        return breaches.found().entrySet().stream()
                .filter(entry -> !entry.getValue().isEmpty())
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static Branch branch(String task, List<Commit> commits, String... runs) {
        return new Branch("repository-0.git", "soak/" + task, commits, List.of(runs));
    }

    private static Task task(String id, Kind kind, String key) {
        return new Task(id, id, kind, "pool", key);
    }

    private static Run run(String task, int attempt, String worker) {
        return new Run(task, attempt, worker, "1", Instant.EPOCH, Optional.of(Instant.EPOCH));
    }
}
