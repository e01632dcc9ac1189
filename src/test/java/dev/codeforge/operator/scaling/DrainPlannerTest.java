package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.scaling.DrainPlanner.WorkerView;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class DrainPlannerTest {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    private final DrainPlanner planner = new DrainPlanner();

    @Test
    void whoIsNotReadyGoesFirstThenWhoWasIdleLongest() {
        final List<WorkerView> workers =
                List.of(idle("short", 5), idle("long", 50), busy("busy"), starting("starting"));
        assertThat(planner.candidates(workers, 9)).containsExactly("starting", "long", "short");
    }

    @Test
    void whoIsSpentGoesBeforeOthersThatAreAsReady() {
        final WorkerView spent = new WorkerView("spent", true, false, Optional.of(Duration.ZERO), START, false, true);
        final WorkerView unready =
                new WorkerView("unready", false, false, Optional.of(Duration.ofSeconds(9)), START, false, true);
        final WorkerView young =
                new WorkerView("young", false, false, Optional.empty(), START.plusSeconds(9), false, false);
        assertThat(planner.candidates(List.of(idle("long", 50), young, spent, unready), 9))
                .containsExactly("unready", "young", "spent", "long");
    }

    @Test
    void noMoreGoThanMay() {
        final List<WorkerView> workers = List.of(idle("short", 5), idle("long", 50), starting("starting"));
        assertThat(planner.candidates(workers, 2)).containsExactly("starting", "long");
        assertThat(planner.candidates(workers, 0)).isEmpty();
        assertThat(planner.candidates(workers, -1)).isEmpty();
    }

    @Test
    void whoIsBusyOrSilentNeverGoesWhileReady() {
        assertThat(planner.candidates(List.of(busy("a"), busy("b")), 2)).isEmpty();
    }

    @Test
    void whoFinishesAlreadyIsAskedAgainThenTheYoungest() {
        final WorkerView young =
                new WorkerView("young", true, false, Optional.empty(), START.plusSeconds(9), false, false);
        final List<WorkerView> workers = List.of(busy("a"), idle("idle", 9), busy("b"), young, starting("starting"));
        assertThat(planner.finishers(workers, Set.of("b"), 2)).containsExactly("b", "young");
        assertThat(planner.finishers(workers, Set.of(), 9)).containsExactly("young", "a", "b");
        assertThat(planner.finishers(workers, Set.of("a"), 0)).isEmpty();
    }

    @Test
    void whoIsGoingAlreadyIsNotCounted() {
        final WorkerView gone =
                new WorkerView("gone", true, true, Optional.of(Duration.ofHours(1)), START, true, false);
        assertThat(planner.candidates(List.of(gone, idle("idle", 1)), 1)).containsExactly("idle");
        assertThat(planner.maySwitch(List.of(gone, busy("busy")), Set.of(), 1)).isTrue();
    }

    @Test
    void ofEquallyIdleOnesTheYoungestGoesThenTheFirstByName() {
        final List<WorkerView> workers = List.of(
                new WorkerView("old", true, false, Optional.of(Duration.ofSeconds(5)), START, false, false),
                new WorkerView(
                        "young-b", true, false, Optional.of(Duration.ofSeconds(5)), START.plusSeconds(9), false, false),
                new WorkerView(
                        "young-a",
                        true,
                        false,
                        Optional.of(Duration.ofSeconds(5)),
                        START.plusSeconds(9),
                        false,
                        false));
        assertThat(planner.candidates(workers, 3)).containsExactly("young-a", "young-b", "old");
    }

    @Test
    void ofThoseNotReadyTheYoungestGoes() {
        final List<WorkerView> workers = List.of(
                new WorkerView("old", false, false, Optional.empty(), START, false, false),
                new WorkerView("young", false, false, Optional.empty(), START.plusSeconds(9), false, false));
        assertThat(planner.candidates(workers, 1)).containsExactly("young");
    }

    @Test
    void theDrainedMayGoWhenJustTheyAreTooMany() {
        final List<WorkerView> workers = List.of(costed("a"), costed("b"), busy("c"));
        assertThat(planner.maySwitch(workers, Set.of("a", "b"), 1)).isTrue();
        assertThat(planner.maySwitch(workers, Set.of("a", "b"), 0)).isFalse();
        assertThat(planner.maySwitch(workers, Set.of("a", "b"), 2)).isFalse();
    }

    @Test
    void nobodyMayGoWithoutAnAnswer() {
        assertThat(planner.maySwitch(List.of(busy("a"), busy("b")), Set.of(), 1))
                .isFalse();
    }

    @Test
    void nobodyGoesWhileOneThatStaysCarriesACost() {
        final List<WorkerView> workers = List.of(costed("a"), costed("b"), busy("c"));
        assertThat(planner.maySwitch(workers, Set.of("a"), 2)).isFalse();
    }

    @Test
    void whoIsNotReadyNeedsNoAnswer() {
        final List<WorkerView> workers = List.of(starting("a"), busy("b"));
        assertThat(planner.maySwitch(workers, Set.of(), 1)).isTrue();
        assertThat(planner.maySwitch(workers, Set.of(), 0)).isFalse();
    }

    @Test
    void aDrainedWorkerStaysWhileOneThatIsNotReadyWouldGoInstead() {
        final List<WorkerView> workers = List.of(starting("a"), costed("b"), busy("c"));
        assertThat(planner.maySwitch(workers, Set.of("b"), 2)).isFalse();
        assertThat(planner.maySwitch(workers, Set.of("b"), 1)).isTrue();
    }

    @Test
    void ofThoseWithoutRoomAnyMayGo() {
        final List<WorkerView> workers = List.of(starting("a"), starting("b"), starting("c"), busy("d"));
        assertThat(planner.maySwitch(workers, Set.of(), 3)).isTrue();
    }

    @Test
    void podsThatDoNotExistYetNeedNoAnswer() {
        assertThat(planner.maySwitch(List.of(busy("a")), Set.of(), 3)).isTrue();
    }

    private static WorkerView idle(String pod, int seconds) {
        return new WorkerView(pod, true, false, Optional.of(Duration.ofSeconds(seconds)), START, false, false);
    }

    private static WorkerView costed(String pod) {
        return new WorkerView(pod, true, false, Optional.of(Duration.ofSeconds(9)), START, true, false);
    }

    private static WorkerView busy(String pod) {
        return new WorkerView(pod, true, false, Optional.empty(), START, false, false);
    }

    private static WorkerView starting(String pod) {
        return new WorkerView(pod, false, false, Optional.empty(), START, false, false);
    }
}
