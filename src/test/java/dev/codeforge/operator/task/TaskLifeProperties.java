package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.task.TaskLife.Step;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** What holds for every task, whatever happens to it in whatever order. */
final class TaskLifeProperties {
    private static final String RETRIES = "retry: {maxAttempts: 3, backoffSeconds: 60}, queueTimeoutSeconds: 1200";

    @Provide
    Arbitrary<List<Step>> lives() {
        // Mostly the ordinary course of things, or no life would come far.
        final Arbitrary<Step> ordinary =
                Arbitraries.of(Step.RECONCILE, Step.RECONCILE, Step.WORKER_TAKES, Step.WORKER_FAILS, Step.MINUTES_PASS);
        return Arbitraries.frequencyOf(Tuple.of(2, ordinary), Tuple.of(1, Arbitraries.of(Step.class)))
                .list()
                .ofMinSize(5)
                .ofMaxSize(60);
    }

    @Provide
    Arbitrary<String> specs() {
        return Arbitraries.of(
                RETRIES,
                "delivery: AtMostOnce",
                "delivery: ResetThenRetry, " + RETRIES,
                "runTimeoutSeconds: 300",
                "title: t");
    }

    @Property(tries = 2000)
    void terminalIsTerminalUntilARerun(@ForAll("specs") String spec, @ForAll("lives") List<Step> life) {
        final TaskLife world = new TaskLife(spec);
        for (final Step step : life) {
            final AgentTaskStatus before = world.status();
            world.happens(step);
            final AgentTaskStatus after = world.status();
            if (isTerminal(before) && after.rerun().equals(before.rerun())) {
                assertThat(after)
                        .usingRecursiveComparison()
                        .ignoringFields("observedGeneration")
                        .isEqualTo(before);
            }
        }
    }

    @Property(tries = 2000)
    void countersNeverGoBack(@ForAll("specs") String spec, @ForAll("lives") List<Step> life) {
        final TaskLife world = new TaskLife(spec);
        for (final Step step : life) {
            final AgentTaskStatus before = world.status();
            world.happens(step);
            final AgentTaskStatus after = world.status();
            assertThat(after.attempts()).isGreaterThanOrEqualTo(before.attempts());
            assertThat(after.endedAttempt()).isGreaterThanOrEqualTo(before.endedAttempt());
            assertThat(after.endedAttempt()).isLessThanOrEqualTo(after.attempts());
            assertThat(after.rerun()).startsWith(before.rerun());
            if (after.attempts().equals(before.attempts())) {
                assertThat(after.deliveries()).isGreaterThanOrEqualTo(before.deliveries());
            }
            if (after.rerun().equals(before.rerun())) {
                assertThat(after.failedAttempts()).isGreaterThanOrEqualTo(before.failedAttempts());
            }
            assertThat(spent(after)).isGreaterThanOrEqualTo(spent(before));
        }
    }

    @Property(tries = 2000)
    void whatWasSeenOnceChangesNothingTheSecondTime(@ForAll("specs") String spec, @ForAll("lives") List<Step> life) {
        final TaskLife world = new TaskLife(spec);
        for (final Step step : life) {
            world.happens(step);
            world.settle();
            final AgentTaskStatus settled = world.status();
            world.reconcile();
            assertThat(world.status()).isEqualTo(settled);
        }
    }

    /** Each attempt of an AtMostOnce task is begun once at most, unless all trace of it was lost. */
    @Property(tries = 2000)
    void atMostOnceMeansThat(@ForAll("lives") List<Step> life) {
        final TaskLife world = new TaskLife("delivery: AtMostOnce");
        life.stream().filter(step -> step != Step.RESULTS_ARE_LOST).forEach(world::happens);
        assertThat(world.begun).doesNotHaveDuplicates();
    }

    @Property(tries = 2000)
    void noMoreAttemptsFailThanTheTaskAllows(@ForAll("lives") List<Step> life) {
        final TaskLife world = new TaskLife(RETRIES);
        for (final Step step : life) {
            world.happens(step);
            assertThat(world.status().failedAttempts()).isLessThanOrEqualTo(3);
        }
    }

    /** An operator that looks in time leaves nothing to begin; what was begun may go on. */
    @Property(tries = 2000)
    void noAttemptBeginsAfterNotAfter(@ForAll("lives") List<Step> life) {
        final Instant limit = Seen.NOW.plus(Duration.ofMinutes(20));
        final TaskLife world = new TaskLife(RETRIES + ", notAfter: '" + limit + "'");
        for (final Step step : life) {
            final boolean late = !world.now().isBefore(limit);
            final Set<Integer> begun = Set.copyOf(world.begun);
            world.happens(step);
            world.settle();
            assertThat(late && !begun.containsAll(world.begun)).isFalse();
        }
    }

    @Property(tries = 2000)
    void everyTaskComesToAnEndOnceTheFaultsAreOver(@ForAll("specs") String spec, @ForAll("lives") List<Step> life) {
        final TaskLife world = new TaskLife(spec);
        life.forEach(world::happens);
        world.happens(Step.USER_RESUMES);
        for (int i = 0; i < 30 && !world.task.isFinished(); i++) {
            world.happens(Step.MINUTES_PASS);
            world.settle();
            world.happens(Step.WORKER_TAKES);
            world.happens(Step.WORKER_COMPLETES);
            world.settle();
        }
        assertThat(world.status().phase()).matches(Phase::isTerminal);
    }

    private static boolean isTerminal(AgentTaskStatus status) {
        return status.phase() != null && status.phase().isTerminal();
    }

    private static BigDecimal spent(AgentTaskStatus status) {
        return status.usage() == null
                ? BigDecimal.ZERO
                : new BigDecimal(status.usage().costUSD());
    }
}
