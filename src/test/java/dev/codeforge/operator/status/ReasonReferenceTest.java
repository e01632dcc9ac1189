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
            page.append("| `%s` | %s |\n".formatted(why, why.meaning()));
        }
        GeneratedDocument.assertCommitted(Path.of("docs", "reasons.md"), page.toString());
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
