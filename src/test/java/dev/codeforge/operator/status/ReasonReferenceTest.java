package dev.codeforge.operator.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.operator.scaling.ReplicaPlanner;
import dev.codeforge.testing.GeneratedDocument;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code docs/reasons.md} tells every reason that the operator gives. */
final class ReasonReferenceTest {

    @Test
    void theReferenceTellsEveryReason() throws IOException {
        final StringBuilder page = new StringBuilder(
                """
                # Reasons

                Generated from the code by `make manifests`. A failed task's reason is the `type` of its
                `status.error`: one of these, or one of the worker's, which [protocol.md](protocol.md) lists.

                ## Conditions and events

                | reason | meaning | what to do |
                |---|---|---|
                """);
        for (final Reason reason : Reason.values()) {
            page.append("| `%s` | %s | %s |\n".formatted(reason, reason.meaning(), reason.remedy()));
        }
        page.append(
                """

                ## Scaling

                `status.scaling.reason` of a WorkerPool: why the number of workers is what it is.

                | reason | meaning |
                |---|---|
                """);
        for (final ReplicaPlanner.Why why : ReplicaPlanner.Why.values()) {
            page.append("| `%s` | %s |\n".formatted(why, meaning(why)));
        }
        GeneratedDocument.assertCommitted(Path.of("docs", "reasons.md"), page.toString());
    }

    /** For people alone: the program does not say it. */
    private static String meaning(ReplicaPlanner.Why why) {
        return switch (why) {
            case Fixed -> "The pool does not scale.";
            case QueueGrew -> "More tasks than workers.";
            case Steady -> "As many as the queue needs.";
            case AtMaximum ->
                "The queue needs more, but maxReplicas, or what the consumer lets run at once, is reached.";
            case StepLimit ->
                "The queue needs more, but maxScaleUpStep workers are starting: the next follow as these become ready.";
            case Unschedulable ->
                "The queue needs more, but the cluster has no room for the workers that were asked for.";
            case StabilizationWindow -> "Fewer would do, but not for long enough.";
            case WorkersBusy ->
                "Fewer would do, but those that are left are busy, do not answer, or are just being removed.";
            case RollingOut -> "Fewer would do, but a new template is being rolled out.";
            case QueueShrank -> "Fewer were enough for the whole window.";
            case MaximumLowered -> "There are more than maxReplicas, or what the consumer lets run at once, allows.";
            case QueueUnavailable -> "The queue cannot be read: the number stays.";
            case Suspended -> "The pool is suspended: the number does not grow.";
        };
    }

    @ParameterizedTest
    @EnumSource(Reason.class)
    void aReasonIsAWordThatConditionsTakeAndSentencesThatPeopleRead(Reason reason) {
        assertThat(reason.name()).matches("[A-Z][A-Za-z]+");
        assertThat(reason.meaning()).endsWith(".");
        assertThat(reason.remedy()).endsWith(".");
        assertThat(reason.sentence()).isEqualTo(reason.meaning() + " " + reason.remedy());
    }
}
