package dev.codeforge.console.http;

import dev.codeforge.console.hub.Client;
import dev.codeforge.console.hub.Closing;
import dev.codeforge.console.hub.Hub;
import dev.codeforge.console.hub.Message;
import dev.codeforge.console.hub.Refusal;
import dev.codeforge.console.hub.Request;
import dev.codeforge.console.identity.Callers;
import dev.codeforge.console.identity.Callers.UnansweredException;
import java.util.Optional;
import java.util.Set;

/** A caller on one connection. The API server authorizes each subscription when it starts, and again while it lasts. */
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

    void unsubscribe(String id) {
        if (!hub.unsubscribe(client, id)) {
            client.offer(Message.error(id, Refusal.Invalid, "there is no subscription of this id"));
        }
    }

    void subscribe(Request request) {
        try {
            final Optional<Denial> denial = denial(request);
            if (denial.isPresent()) {
                client.offer(denial.get().of(request));
            } else {
                hub.subscribe(client, request);
            }
        } catch (UnansweredException e) {
            client.offer(new Denial(Refusal.Unavailable, e.getMessage() + ": subscribe again").of(request));
        }
    }

    private Optional<Denial> denial(Request request) {
        return Denial.of(callers, namespaces, token, user, request);
    }

    /** Ends subscriptions that the caller may no longer have. While the API server is away, rights stay. */
    void review() {
        try {
            if (callers.user(token).isEmpty()) {
                client.close(Closing.SIGN_IN);
                return;
            }
            for (final Request request : client.requests()) {
                denial(request).ifPresent(denial -> hub.end(client, request.id(), denial.reason(), denial.sentence()));
            }
        } catch (UnansweredException e) {
            LiveServer.LOG.debug("rights of {} are as they were: {}", user, e.getMessage());
        }
    }
}
