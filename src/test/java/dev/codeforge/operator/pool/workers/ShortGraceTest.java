package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ShortGraceTest {
    private static final String DELETED = "deletionTimestamp: '2026-11-24T12:00:00Z', deletionGracePeriodSeconds: ";

    @ParameterizedTest
    @CsvSource({"600, 570", "31, 1", "30, 0", "5, 0", "0, 0"})
    void aShorterGraceIsToldWithoutTheTimeThatItTakesToGiveBack(long given, long told) {
        assertThat(ShortGrace.of(pod(DELETED + given))).hasValue(Duration.ofSeconds(told));
    }

    @ParameterizedTest
    @CsvSource({"1860", "3600"})
    void theTemplatesOwnIsKnown(long given) {
        assertThat(ShortGrace.of(pod(DELETED + given))).isEmpty();
    }

    @Test
    void aPodThatStaysHasItsTime() {
        assertThat(ShortGrace.of(pod("uid: one"))).isEmpty();
    }

    private static Pod pod(String metadata) {
        return Resources.of(
                Pod.class,
                "{metadata: {name: pod, " + metadata
                        + "}, spec: {terminationGracePeriodSeconds: 1860, containers: []}}");
    }
}
