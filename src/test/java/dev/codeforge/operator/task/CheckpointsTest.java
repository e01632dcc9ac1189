package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.Events;
import dev.codeforge.wire.TaskEvent;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the next attempt is given of the one before. */
final class CheckpointsTest {
    private static final String SAVED = "{\"done\":2}";

    private static Optional<String> after(Seen seen, TaskEvent last) {
        return Checkpoints.carriedOn(seen.task, Optional.of(Events.saving(last, SAVED)));
    }

    private static TaskEvent failed(Seen seen, int attempt) {
        return Events.failed(seen.task, attempt, "CommandFailed", "exit code 1", true);
    }

    @Test
    void aRetryGoesOnFromWhatTheFailedAttemptSaved() {
        final Seen seen = Seen.task("retry: {maxAttempts: 3}").between("Retrying", 1, "failedAttempts: 1");
        assertThat(after(seen, failed(seen, 1))).hasValue(SAVED);
    }

    @Test
    void aTaskThatIsResumedGoesOn() {
        final Seen seen = Seen.task("title: t").between("Suspended", 1, "");
        assertThat(after(seen, Events.cancelled(seen.task, 1, "Suspended"))).hasValue(SAVED);
    }

    @ParameterizedTest
    @EnumSource(
            value = TaskEvent.Kind.class,
            names = {"RUNNING", "PROGRESS", "RELEASED"})
    void aRunThatWasLeftIsGoneOnWith(TaskEvent.Kind kind) {
        final Seen seen = Seen.task("title: t").running(1);
        assertThat(after(seen, Events.of(seen.task, kind, 1, 1))).hasValue(SAVED);
    }

    @Test
    void aRerunBeginsWithout() {
        final Seen asked = Seen.task("rerun: 1").between("Failed", 1, "failedAttempts: 1");
        assertThat(after(asked, failed(asked, 1))).isEmpty();
        // The status tells of the rerun already, the attempt has no event of its own.
        final Seen told = Seen.task("rerun: 1").between("Queued", 1, "failedAttempts: 0, rerun: 1");
        assertThat(after(told, failed(told, 1))).isEmpty();
        assertThat(after(told, Events.cancelled(told.task, 1, "Cancelled"))).isEmpty();
        assertThat(after(told, Events.of(told.task, TaskEvent.Kind.COMPLETED))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"ResetThenRetry", "AtMostOnce"})
    void whatBeginsAnewIsGivenNothing(String delivery) {
        final Seen seen = Seen.task("delivery: " + delivery).between("Retrying", 1, "failedAttempts: 1");
        assertThat(after(seen, failed(seen, 1))).isEmpty();
        assertThat(after(seen, Events.of(seen.task, TaskEvent.Kind.PROGRESS))).isEmpty();
    }

    @Test
    void withoutAnEventThereIsNothing() {
        assertThat(Checkpoints.carriedOn(Seen.task("title: t").task, Optional.empty()))
                .isEmpty();
    }
}
