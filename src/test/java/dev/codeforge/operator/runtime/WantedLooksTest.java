package dev.codeforge.operator.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
final class WantedLooksTest {
    private static final ResourceID POOL = new ResourceID("pool", "ns");
    private static final ResourceID OTHER = new ResourceID("other", "ns");

    private final WantedLooks looks = new WantedLooks();

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
        looks.want(POOL);
        final Runnable end = looks.begin(POOL);
        final Thread waiting = Thread.ofVirtual().start(() -> looks.awaitRest(POOL));
        await().until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
        end.run();
        waiting.join();
    }

    /** Whether it returned by its patience only. */
    private boolean isHeldBack() {
        final Instant begun = Instant.now();
        looks.awaitRest(POOL);
        return Duration.between(begun, Instant.now()).compareTo(Duration.ofMillis(250)) >= 0;
    }
}
