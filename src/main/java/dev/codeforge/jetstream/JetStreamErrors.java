package dev.codeforge.jetstream;

import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamStatusCheckedException;
import io.nats.client.RequestFailureException;
import io.nats.client.RequestFailureReason;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/**
 * Translates failed requests to NATS and error answers into exceptions, by type and JetStream's error code, never by
 * message text.
 */
final class JetStreamErrors {
    static final int CONSUMER_NOT_FOUND = 10014;
    static final int MESSAGE_NOT_FOUND = 10037;
    static final int INSUFFICIENT_STORAGE = 10047;
    static final int STREAM_NOT_FOUND = 10059;
    static final int OTHER_STREAM_EXPECTED = 10060;
    static final int SUBJECTS_OVERLAP = 10065;
    static final int WRONG_LAST_SEQUENCE = 10071;
    static final int STREAM_FULL = 10077;
    /** As {@link #WRONG_LAST_SEQUENCE}, of a write that a cluster has not finished. */
    static final int OVERTAKEN = 10164;

    private static final int SERVER_CANNOT_NOW = 500;
    /** Not found, a conflict, too many requests. */
    private static final Set<Integer> PASSING_STATUS = Set.of(404, 409, 429);

    private static final int NO_PEERS = 10005;

    private static final Set<Integer> NOT_THERE = Set.of(STREAM_NOT_FOUND, CONSUMER_NOT_FOUND);

    private JetStreamErrors() {}

    /** A call of the client. */
    @FunctionalInterface
    interface Call<T> {
        T now()
                throws IOException, JetStreamApiException, JetStreamStatusCheckedException, InterruptedException,
                        TimeoutException;
    }

    /** The call's value. Every failure becomes one that may succeed later. */
    static <T> T translate(String what, Call<T> call) {
        try {
            return translateAllButAnswers(what, call);
        } catch (JetStreamApiException e) {
            throw unavailable(what, e);
        }
    }

    /** As {@link #translate}, but the caller handles JetStream's error answers. */
    static <T> T translateAllButAnswers(String what, Call<T> call) throws JetStreamApiException {
        try {
            return call.now();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while waiting for " + what, e);
        } catch (IOException | JetStreamStatusCheckedException | TimeoutException | IllegalStateException e) {
            throw new QueueUnavailableException(what + " did not answer: " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            // The client checks names and sizes before it sends, so a retry would fail the same way.
            throw new QueueRefusedException("nothing was sent to " + what + ": " + e.getMessage(), e);
        }
    }

    /** A request to JetStream's API. */
    @FunctionalInterface
    interface Question<T> {
        T ask() throws IOException, JetStreamApiException;
    }

    /** Empty when JetStream answers that there is no such stream or consumer. */
    static <T> Optional<T> ifThere(Question<T> question) throws IOException, JetStreamApiException {
        try {
            return Optional.of(question.ask());
        } catch (JetStreamApiException e) {
            if (NOT_THERE.contains(e.getApiErrorCode())) {
                return Optional.empty();
            }
            throw e;
        }
    }

    static QueueUnavailableException unavailable(String what, JetStreamApiException answer) {
        final String message = what + " answered: " + answer.getMessage();
        return isRefusal(answer) && !passes(answer)
                ? QueueUnavailableException.refusal(message, answer)
                : new QueueUnavailableException(message, answer);
    }

    /** A 5xx answer may succeed later, as without a leader. A 4xx answer, or no space, fails until a setting is changed. */
    private static boolean isRefusal(JetStreamApiException answer) {
        return answer.getErrorCode() < SERVER_CANNOT_NOW || answer.getApiErrorCode() == INSUFFICIENT_STORAGE;
    }

    /** What the operator makes again, and what another write or too many requests stand in the way of. */
    private static boolean passes(JetStreamApiException answer) {
        return PASSING_STATUS.contains(answer.getErrorCode())
                || answer.getApiErrorCode() == NO_PEERS
                || saysAnotherWasFirst(answer);
    }

    static RuntimeException refusedOrUnavailable(String what, JetStreamApiException answer) {
        return isRefusal(answer)
                ? new QueueRefusedException("JetStream refuses " + what + ": " + answer.getMessage(), answer)
                : unavailable("JetStream", answer);
    }

    static boolean saysAnotherWasFirst(JetStreamApiException answer) {
        return answer.getApiErrorCode() == WRONG_LAST_SEQUENCE || answer.getApiErrorCode() == OVERTAKEN;
    }

    /** True if nothing subscribes to the subject, for example because no stream has it. */
    static boolean saysNobodyListens(QueueUnavailableException error) {
        return error.getCause() instanceof RequestFailureException failure
                && failure.getReason() == RequestFailureReason.NO_RESPONDERS;
    }
}
