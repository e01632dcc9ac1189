package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.WorkerControl.Answer;
import dev.codeforge.operator.scaling.ReplicaPlanner.Decision;
import dev.codeforge.operator.scaling.ReplicaPlanner.Why;
import dev.codeforge.operator.scaling.ScaleDownPlanner.Asked;
import dev.codeforge.operator.scaling.ScaleDownPlanner.Departures;
import dev.codeforge.operator.scaling.ScaleDownPlanner.WorkerView;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class ScaleDownPlannerTest {
    private static final Instant START = Instant.parse("2026-11-24T12:00:00Z");

    private static final Answer MAY_GO =
            new Answer(true, true, Duration.ofSeconds(9), Optional.of(List.of()), Optional.of(false));
    private static final Answer BUSY =
            new Answer(false, true, Duration.ZERO, Optional.of(List.of()), Optional.of(false));

    private final ScaleDownPlanner planner = new ScaleDownPlanner();

    @Test
    void whoIsNotReadyGoesFirstThenWhoWasIdleLongest() {
        final List<WorkerView> workers =
                List.of(idle("short", 5), idle("long", 50), busy("busy"), starting("starting"));
        assertThat(planner.candidates(workers, 9)).containsExactly("starting", "long", "short");
    }

    @Test
    void whoIsSpentGoesBeforeOthersThatAreAsReady() {
        final WorkerView spent = new WorkerView("spent", true, Optional.of(Duration.ZERO), START, true);
        final WorkerView unready = new WorkerView("unready", false, Optional.of(Duration.ofSeconds(9)), START, true);
        final WorkerView young = new WorkerView("young", false, Optional.empty(), START.plusSeconds(9), false);
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
        final WorkerView young = new WorkerView("young", true, Optional.empty(), START.plusSeconds(9), false);
        final List<WorkerView> workers = List.of(busy("a"), idle("idle", 9), busy("b"), young, starting("starting"));
        assertThat(planner.finishers(workers, Set.of("b"), 2)).containsExactly("b", "young");
        assertThat(planner.finishers(workers, Set.of(), 9)).containsExactly("young", "a", "b");
        assertThat(planner.finishers(workers, Set.of("a"), 0)).isEmpty();
    }

    @Test
    void ofEquallyIdleOnesTheYoungestGoesThenTheFirstByName() {
        final List<WorkerView> workers = List.of(
                new WorkerView("old", true, Optional.of(Duration.ofSeconds(5)), START, false),
                new WorkerView("young-b", true, Optional.of(Duration.ofSeconds(5)), START.plusSeconds(9), false),
                new WorkerView("young-a", true, Optional.of(Duration.ofSeconds(5)), START.plusSeconds(9), false));
        assertThat(planner.candidates(workers, 3)).containsExactly("young-a", "young-b", "old");
    }

    @Test
    void ofThoseNotReadyTheYoungestGoes() {
        final List<WorkerView> workers = List.of(
                new WorkerView("old", false, Optional.empty(), START, false),
                new WorkerView("young", false, Optional.empty(), START.plusSeconds(9), false));
        assertThat(planner.candidates(workers, 1)).containsExactly("young");
    }

    @Test
    void theDrainedMayGoWhenJustTheyAreTooMany() {
        final List<WorkerView> workers = List.of(drained("a"), drained("b"), busy("c"));
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
    void whoIsNotReadyNeedsNoAnswer() {
        final List<WorkerView> workers = List.of(starting("a"), busy("b"));
        assertThat(planner.maySwitch(workers, Set.of(), 1)).isTrue();
        assertThat(planner.maySwitch(workers, Set.of(), 0)).isFalse();
    }

    @Test
    void aDrainedWorkerStaysWhileOneThatIsNotReadyWouldGoInstead() {
        final List<WorkerView> workers = List.of(starting("a"), drained("b"), busy("c"));
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

    @Test
    void whoSaidThatItTakesNoTaskLeavesAndWhoTookOneMeanwhileStays() {
        final Departures departures = departures(
                asked(List.of(idle("gone", 9), idle("took", 5), busy("busy")), Map.of("gone", MAY_GO, "took", BUSY)),
                decision(1, Why.QueueShrank));
        assertThat(departures).isEqualTo(new Departures(Set.of("gone"), Set.of(), 2, true));
    }

    @Test
    void whoIsNotReadyLeavesWithoutAnAnswerUnlessItTalks() {
        final List<WorkerView> workers = List.of(starting("silent"), starting("talks"), busy("busy"));
        final Asked asked = new Asked(workers, Set.of("talks"), planner.candidates(workers, 2), Map.of(), Set.of());
        assertThat(departures(asked, decision(1, Why.QueueShrank)).leaving()).containsExactly("silent");
    }

    @Test
    void theReplicaSetIsNotTrustedWhereItWouldTakeAnotherThatIsNotReady() {
        final List<WorkerView> workers = List.of(starting("talks"), idle("drained", 9), busy("busy"));
        final Asked asked =
                new Asked(workers, Set.of("talks"), List.of("talks", "drained"), Map.of("drained", MAY_GO), Set.of());
        assertThat(departures(asked, decision(1, Why.QueueShrank)).maySwitch()).isFalse();
    }

    @Test
    void noMoreAreCountedOutThanWasDecided() {
        final Asked asked = asked(List.of(idle("a", 9)), Map.of("a", MAY_GO));
        assertThat(departures(asked, decision(1, Why.QueueShrank)).size()).isEqualTo(1);
    }

    @Test
    void busyOnesFinishWhereSomebodyAskedForFewerOrOneHasManyPlaces() {
        final Asked asked = asked(List.of(busy("a"), busy("b")), Map.of());
        assertThat(departures(asked, decision(1, Why.QueueShrank)).held()).isEmpty();
        assertThat(departures(asked, decision(1, Why.Fixed)).held()).containsExactly("a");
        assertThat(departures(asked, decision(1, Why.MaximumLowered)).finishing())
                .containsExactly("a");
        assertThat(planner.departures(asked, decision(1, Why.QueueShrank), 2).finishing())
                .containsExactly("a");
    }

    @Test
    void whoIsSilentFinishesOnlyIfItWasAskedBefore() {
        final List<WorkerView> silent = List.of(busy("a"), busy("b"));
        final Asked asked = new Asked(silent, Set.of(), List.of(), Map.of(), Set.of("b"));
        assertThat(departures(asked, decision(0, Why.Fixed)).finishing()).containsExactly("b");
    }

    private Departures departures(Asked asked, Decision decision) {
        return planner.departures(asked, decision, 1);
    }

    /** All of them talk, and these were asked to take no more. */
    private Asked asked(List<WorkerView> workers, Map<String, Answer> drained) {
        return new Asked(
                workers,
                workers.stream().map(WorkerView::pod).collect(Collectors.toSet()),
                List.copyOf(drained.keySet()),
                drained,
                Set.of());
    }

    private static Decision decision(int desired, Why why) {
        return new Decision(desired, why, 0, DemandWindow.EMPTY);
    }

    private static WorkerView idle(String pod, int seconds) {
        return new WorkerView(pod, true, Optional.of(Duration.ofSeconds(seconds)), START, false);
    }

    private static WorkerView drained(String pod) {
        return new WorkerView(pod, true, Optional.of(Duration.ofSeconds(9)), START, false);
    }

    private static WorkerView busy(String pod) {
        return new WorkerView(pod, true, Optional.empty(), START, false);
    }

    private static WorkerView starting(String pod) {
        return new WorkerView(pod, false, Optional.empty(), START, false);
    }
}
