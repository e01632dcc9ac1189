package dev.codeforge.console.http;

import dev.codeforge.console.hub.Message;
import dev.codeforge.console.hub.Refusal;
import dev.codeforge.console.hub.Request;
import dev.codeforge.console.identity.Callers;
import dev.codeforge.console.identity.Callers.Reading;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Why a caller may not subscribe, for a WebSocket or an HTTP answer. */
record Denial(Refusal reason, String sentence) {
    /**
     * Empty when the caller may subscribe. May throw {@link Callers.UnansweredException}.
     *
     * @param namespaces that the console watches; empty for all
     */
    static Optional<Denial> of(Callers callers, Set<String> namespaces, String token, String user, Request request) {
        if (!namespaces.isEmpty() && !namespaces.contains(request.namespace())) {
            return Optional.of(
                    new Denial(Refusal.NotFound, "this console does not watch the namespace " + request.namespace()));
        }
        return readings(request)
                .filter(reading -> !callers.may(token, reading))
                .map(reading -> new Denial(
                        Refusal.Forbidden,
                        user + " may not " + reading.words() + " in namespace " + reading.namespace()
                                + ": ask for the role codeforge-viewer there"))
                .findFirst();
    }

    private static Stream<Reading> readings(Request request) {
        final String namespace = request.namespace();
        return request.topics().stream()
                .map(topic -> switch (topic) {
                    case POOLS -> Reading.pools(namespace);
                    case TASKS, EVENTS -> Reading.tasks(namespace);
                    case LOG -> Reading.lines(namespace);
                })
                .distinct();
    }

    Message of(Request request) {
        return Message.error(request.id(), reason, sentence);
    }

    ProblemException problem() {
        return new ProblemException(reason == Refusal.NotFound ? 404 : 403, reason.name(), sentence);
    }
}
