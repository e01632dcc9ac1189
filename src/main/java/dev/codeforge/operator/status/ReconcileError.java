package dev.codeforge.operator.status;

import dev.codeforge.jetstream.QueueUnavailableException;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.util.Set;

/**
 * Why a reconcile failed, for the resource's author.
 *
 * @param passes a retry may succeed without a change by a person, and the first failures are not reported
 */
public record ReconcileError(Reason reason, String message, boolean passes) {
    /** Failures before a report. The third failure comes about two seconds after the first. */
    private static final int TIMES = 2;

    private static final Set<Integer> OTHERS_WERE_FASTER =
            Set.of(HttpURLConnection.HTTP_CONFLICT, HttpURLConnection.HTTP_NOT_FOUND);

    public static ReconcileError of(Exception error) {
        return of(known(error), error);
    }

    /** Unwraps the framework's exceptions. */
    private static Throwable known(Throwable error) {
        Throwable cause = error;
        while (cause != null
                && !(cause instanceof QueueUnavailableException)
                && !(cause instanceof KubernetesClientException)) {
            cause = cause.getCause();
        }
        return cause == null ? error : cause;
    }

    private static ReconcileError of(Throwable known, Exception error) {
        return switch (known) {
            case QueueUnavailableException away ->
                error(
                        away.isRefusal() ? Reason.NatsRefused : Reason.QueueUnavailable,
                        String.valueOf(away.getMessage()),
                        !away.isRefusal());
            case KubernetesClientException answer -> answered(answer);
            default -> error(Reason.OperatorError, error.toString(), false);
        };
    }

    private static ReconcileError answered(KubernetesClientException answer) {
        final String words = ApiRefusal.words(answer);
        if (answer.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
            // RBAC's refusals contain this word; quota, Pod Security and policies answer with the same code without it.
            return words.contains("cannot ")
                    ? error(Reason.RightMissing, words, false)
                    : error(Reason.RequestRefused, words, false);
        }
        if (ApiRefusal.is(answer)) {
            return error(Reason.RequestRefused, words, false);
        }
        return OTHERS_WERE_FASTER.contains(answer.getCode())
                ? error(Reason.ApiServerUnavailable, "the object has changed meanwhile: " + words, true)
                : error(Reason.ApiServerUnavailable, words, true);
    }

    private static ReconcileError error(Reason reason, String what, boolean passes) {
        return new ReconcileError(reason, Conditions.beforeARemedy(what) + ". " + reason.sentence(), passes);
    }

    /** @param failures how often this reconcile has failed before */
    public boolean isWorthSaying(int failures) {
        return !passes || failures >= TIMES;
    }
}
