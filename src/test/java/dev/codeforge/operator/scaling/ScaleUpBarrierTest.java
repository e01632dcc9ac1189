package dev.codeforge.operator.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class ScaleUpBarrierTest {
    private static final ResourceID POOL = new ResourceID("pool", "ns");
    private static final ResourceID OTHER = new ResourceID("other", "ns");

    /** Longer than a busy machine takes for what does not wait. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final ScaleUpBarrier looks = new ScaleUpBarrier(PATIENCE);

    @Test
    void nobodyWaitsForAPoolThatRests() {
        looks.want(OTHER);
        assertThat(isHeldBack()).isFalse();
    }

    @Test
    void aWantedLookIsWaitedForToItsEnd() {
        looks.want(POOL);
        final Runnable end = looks.begin(POOL);
        assertThat(isHeldBack()).isTrue();
        end.run();
        assertThat(isHeldBack()).isFalse();
    }

    @Test
    void aLookThatBeganBeforeItWasWantedIsNotTheOne() {
        looks.want(POOL);
        final Runnable first = looks.begin(POOL);
        looks.want(POOL);
        first.run();
        assertThat(isHeldBack()).isTrue();
        looks.begin(POOL).run();
        assertThat(isHeldBack()).isFalse();
    }

    @Test
    void whoWaitsIsLetGoWhenThePoolRests() throws InterruptedException {
        final ScaleUpBarrier patient = new ScaleUpBarrier(Duration.ofHours(1));
        patient.want(POOL);
        final Runnable end = patient.begin(POOL);
        final Thread waiting = Thread.ofVirtual().start(() -> patient.awaitRest(POOL));
        await().until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
        end.run();
        assertThat(waiting.join(Duration.ofMinutes(1))).isTrue();
    }

    /** Whether it returned by its patience only. */
    private boolean isHeldBack() {
        final Instant begun = Instant.now();
        looks.awaitRest(POOL);
        return Duration.between(begun, Instant.now()).compareTo(PATIENCE) >= 0;
    }
}
