package dev.codeforge.operator.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.QueueUnavailableException;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.OperatorException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ReconcileErrorTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    400 | control characters are not allowed                                        | RequestRefused       | false
                    413 | the request is too large                                                  | RequestRefused       | false
                    422 | AgentTask "task" is invalid                                               | RequestRefused       | false
                    500 | failed to create typed patch object                                       | RequestRefused       | false
                    500 | failed to create typed live object                                        | RequestRefused       | false
                    500 | etcdserver: request is too large                                          | RequestRefused       | false
                    403 | secrets "s" is forbidden: exceeded quota: objects, limited: secrets=3     | RequestRefused       | false
                    403 | secrets is forbidden: User "operator" cannot patch resource "secrets"     | RightMissing         | false
                    409 | the object has been modified                                              | ApiServerUnavailable | true
                    429 | too many requests                                                         | ApiServerUnavailable | true
                    500 | etcdserver: leader changed                                                | ApiServerUnavailable | true
                    503 | the server is currently unable to handle the request                      | ApiServerUnavailable | true
                    """)
    void anAnswerOfTheApiServerHasAReason(int code, String words, Reason reason, boolean passes) {
        final ReconcileError error = ReconcileError.of(answer(code, words));
        assertThat(error.reason()).isEqualTo(reason);
        assertThat(error.passes()).isEqualTo(passes);
        assertThat(error.message()).contains(code + ": ", words).endsWith(reason.remedy());
    }

    @Test
    void anApiServerThatDoesNotAnswerIsUnavailable() {
        final ReconcileError error =
                ReconcileError.of(new KubernetesClientException("no answer", new IOException("connection refused")));
        assertThat(error.reason()).isEqualTo(Reason.ApiServerUnavailable);
        assertThat(error.message()).contains("no answer");
    }

    @Test
    void whatTheFrameworkWrapsIsLookedInto() {
        final ReconcileError error = ReconcileError.of(
                new OperatorException(new KubernetesClientException("no answer", new IOException("reset"))));
        assertThat(error.reason()).isEqualTo(Reason.ApiServerUnavailable);
        assertThat(error.passes()).isTrue();
    }

    @Test
    void natsThatRefusesDoesNotChangeItsMindByItself() {
        final ReconcileError error = ReconcileError.of(QueueUnavailableException.refusal("stream answered: no", null));
        assertThat(error.reason()).isEqualTo(Reason.NatsRefused);
        assertThat(error.message()).contains("stream answered: no").endsWith(Reason.NatsRefused.remedy());
        assertThat(error.isWorthSaying(0)).isTrue();
    }

    @Test
    void natsThatIsAwayComesBack() {
        final ReconcileError error = ReconcileError.of(new QueueUnavailableException("NATS is not connected"));
        assertThat(error.reason()).isEqualTo(Reason.QueueUnavailable);
        assertThat(error.passes()).isTrue();
        assertThat(error.message()).startsWith("NATS is not connected. ");
    }

    @Test
    void anythingElseIsTheOperatorsOwn() {
        final ReconcileError error = ReconcileError.of(new IllegalStateException("no such thing"));
        assertThat(error.reason()).isEqualTo(Reason.OperatorError);
        assertThat(error.message()).startsWith("java.lang.IllegalStateException: no such thing. ");
    }

    @Test
    void whatPassesIsSaidWhenItHasFailedThreeTimes() {
        final ReconcileError passing = ReconcileError.of(answer(503, "busy"));
        assertThat(passing.isWorthSaying(0)).isFalse();
        assertThat(passing.isWorthSaying(1)).isFalse();
        assertThat(passing.isWorthSaying(2)).isTrue();
        assertThat(ReconcileError.of(answer(422, "invalid")).isWorthSaying(0)).isTrue();
    }

    private static KubernetesClientException answer(int code, String words) {
        return new KubernetesClientException(
                new StatusBuilder().withCode(code).withMessage(words).build());
    }
}
