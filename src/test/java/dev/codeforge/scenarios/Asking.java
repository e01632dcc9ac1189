package dev.codeforge.scenarios;

import static dev.codeforge.testing.Patience.PATIENCE;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.jetstream.NatsAccess;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.impl.Headers;
import io.nats.client.impl.NatsMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A program without any right in Kubernetes that asks for tasks, as the NATS user for that. */
final class Asking implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final Connection nats;
    private final String namespace;

    Asking(NatsAccess.Password endpoint, String namespace, String inboxPrefix) throws Exception {
        this.namespace = namespace;
        this.nats = Nats.connect(Options.builder()
                .server(endpoint.url())
                .userInfo(endpoint.username(), endpoint.password())
                .inboxPrefix(inboxPrefix)
                .errorListener(new ErrorListener() {})
                .build());
    }

    static Asking of(Scene scene) throws Exception {
        return new Asking(
                scene.installation().nats().clientEndpoint(),
                scene.installation().namespace(),
                "_INBOX_client.");
    }

    /** What came back. */
    record Reply(Message message) {
        JsonNode body() {
            try {
                return JSON.readTree(message.getData());
            } catch (IOException e) {
                throw new UncheckedIOException(new String(message.getData(), StandardCharsets.UTF_8), e);
            }
        }

        /** 0 for an answer that is no error. */
        int code() {
            final String code = header("Nats-Service-Error-Code");
            return code.isEmpty() ? 0 : Integer.parseInt(code);
        }

        String header(String name) {
            final String value = message.hasHeaders() ? message.getHeaders().getFirst(name) : null;
            return value == null ? "" : value;
        }

        String get(String field) {
            return body().path(field).asText();
        }
    }

    CompletableFuture<Reply> run(String pool, String body, Map<String, String> headers) {
        return ask("agents.run." + namespace + "." + pool, body, headers);
    }

    CompletableFuture<Reply> submit(String pool, String body, Map<String, String> headers) {
        return ask("agents.submit." + namespace + "." + pool, body, headers);
    }

    CompletableFuture<Reply> ask(String subject, String body, Map<String, String> headers) {
        return nats.requestWithTimeout(message(subject, body, headers).build(), PATIENCE)
                .thenApply(Reply::new);
    }

    /** One answer after the other comes to the subscription. */
    io.nats.client.Subscription askMany(String pool, String body, Map<String, String> headers) {
        final String inbox = nats.createInbox();
        final io.nats.client.Subscription answers = nats.subscribe(inbox);
        nats.publish(message("agents.run." + namespace + "." + pool, body, headers)
                .replyTo(inbox)
                .build());
        return answers;
    }

    static Reply next(io.nats.client.Subscription answers) throws InterruptedException {
        return new Reply(answers.nextMessage(PATIENCE));
    }

    private static NatsMessage.Builder message(String subject, String body, Map<String, String> headers) {
        final Headers all = new Headers();
        headers.forEach(all::put);
        return NatsMessage.builder().subject(subject).headers(all).data(body.getBytes(StandardCharsets.UTF_8));
    }

    /** The body of a request for a script. */
    static String script(String script) {
        return JSON.createObjectNode().put("prompt", script).toString();
    }

    @Override
    public void close() throws Exception {
        nats.close();
    }
}
