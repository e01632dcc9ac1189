package dev.codeforge.console.http;

import dev.codeforge.console.hub.Client;
import dev.codeforge.console.hub.Closing;
import dev.codeforge.console.hub.Hub;
import dev.codeforge.console.hub.Message;
import dev.codeforge.console.hub.Refusal;
import dev.codeforge.console.hub.Request;
import dev.codeforge.console.identity.Callers;
import dev.codeforge.console.identity.Callers.Reading;
import dev.codeforge.console.identity.Callers.UnansweredException;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** A caller on one connection: what he asks for is first allowed by the API server, and again while he has it. */
final class Visitor {
    private final Hub hub;
    private final Callers callers;
    private final Set<String> namespaces;
    private final Client client;
    private final String token;
    private final String user;

    /** @param namespaces that the console watches; empty for all */
    Visitor(Hub hub, Callers callers, Set<String> namespaces, Client client, String token, String user) {
        this.hub = hub;
        this.callers = callers;
        this.namespaces = namespaces;
        this.client = client;
        this.token = token;
        this.user = user;
    }

    Client client() {
        return client;
    }

    String user() {
        return user;
    }

    /** Why the caller may not have it; empty when he may. */
    private Optional<String> refusal(Request request) {
        return refusal(callers, token, user, request);
    }

    static Optional<String> refusal(Callers callers, String token, String user, Request request) {
        return readings(request)
                .filter(reading -> !callers.may(token, reading))
                .map(reading -> user + " may not " + reading.words() + " in namespace " + reading.namespace()
                        + ": ask for the role codeforge-viewer there")
                .findFirst();
    }

    private boolean watches(String namespace) {
        return namespaces.isEmpty() || namespaces.contains(namespace);
    }

    void unsubscribe(String id) {
        if (!hub.unsubscribe(client, id)) {
            client.offer(Message.error(id, Refusal.Invalid, "there is no subscription of this id"));
        }
    }

    void subscribe(Request request) {
        if (!watches(request.namespace())) {
            refuse(request, Refusal.NotFound, "this console does not watch the namespace " + request.namespace());
            return;
        }
        try {
            final Optional<String> refusal = refusal(request);
            if (refusal.isPresent()) {
                refuse(request, Refusal.Forbidden, refusal.get());
            } else {
                hub.subscribe(client, request);
            }
        } catch (UnansweredException e) {
            refuse(request, Refusal.Unavailable, e.getMessage() + ": subscribe again");
        }
    }

    private void refuse(Request request, Refusal refusal, String sentence) {
        client.offer(Message.error(request.id(), refusal, sentence));
    }

    /** Ends what the caller may not have any more. An API server that is away takes no right. */
    void review() {
        try {
            if (callers.user(token).isEmpty()) {
                client.close(Closing.SIGN_IN);
                return;
            }
            for (final Request request : client.requests()) {
                refusal(request).ifPresent(sentence -> hub.end(client, request.id(), Refusal.Forbidden, sentence));
            }
        } catch (UnansweredException e) {
            LiveServer.LOG.debug("rights of {} are as they were: {}", user, e.getMessage());
        }
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
}
