package dev.codeforge.testing;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.awaitility.core.ConditionTimeoutException;

/** A WebSocket client of the console, as a page is one. */
public final class LiveClient implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final List<JsonNode> messages = new CopyOnWriteArrayList<>();
    private final WebSocket socket;
    private volatile int closed;
    private volatile String said = "";
    private volatile boolean reads;

    /** Connects without a word. */
    public LiveClient(int port) {
        this(onLoopback(port), true);
    }

    private LiveClient(URI server, boolean reads) {
        this.reads = reads;
        this.socket = HTTP.newWebSocketBuilder().buildAsync(server, new Heard()).join();
    }

    private static URI onLoopback(int port) {
        return URI.create("ws://127.0.0.1:" + port + "/ws");
    }

    /** One that is signed in. */
    public static LiveClient of(int port, String token) {
        return of(onLoopback(port), token);
    }

    /** One that is signed in at a console somewhere else. */
    public static LiveClient of(URI server, String token) {
        return new LiveClient(server, true).hello(token);
    }

    /** One that is signed in, and takes nothing off its connection. */
    public static LiveClient deaf(int port, String token) {
        return new LiveClient(onLoopback(port), false).hello(token);
    }

    private LiveClient hello(String token) {
        return say("{\"type\":\"hello\",\"token\":\"" + token + "\"}");
    }

    public LiveClient say(String text) {
        socket.sendText(text, true).join();
        return this;
    }

    /** Subscribes; {@code more} are further fields as JSON, or empty. */
    public LiveClient subscribe(String id, String namespace, String more) {
        return say("{\"type\":\"subscribe\",\"id\":\"" + id + "\",\"namespace\":\"" + namespace + "\""
                + (more.isEmpty() ? "" : "," + more) + "}");
    }

    public List<JsonNode> messages() {
        return List.copyOf(messages);
    }

    public List<JsonNode> of(String type) {
        return messages.stream()
                .filter(message -> message.path("type").asText().equals(type))
                .toList();
    }

    public List<Long> sequences(String type) {
        return of(type).stream()
                .map(message -> message.path("sequence").asLong())
                .toList();
    }

    /** The first message that is so. */
    public JsonNode awaitMessage(String type, Predicate<JsonNode> so) {
        try {
            return await().atMost(PATIENCE)
                    .until(() -> of(type).stream().filter(so).findFirst(), Optional::isPresent)
                    .orElseThrow();
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "no such " + type + "; closed with " + closed + " " + said + ", after " + messages, e);
        }
    }

    public JsonNode awaitMessage(String type) {
        return awaitMessage(type, message -> true);
    }

    /** The code with which the server ended the connection. */
    public int awaitClosed() {
        await().atMost(PATIENCE).until(() -> closed != 0);
        return closed;
    }

    /** The code with which the connection ended, 0 while it has not. */
    public int closed() {
        return closed;
    }

    @Override
    public void close() {
        socket.abort();
    }

    private final class Heard implements WebSocket.Listener {
        private final StringBuilder frame = new StringBuilder();

        @Override
        public void onOpen(WebSocket open) {
            if (reads) {
                open.request(1);
            }
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            frame.append(part);
            if (last) {
                frame.toString().lines().map(LiveClient::parsed).forEach(messages::add);
                frame.setLength(0);
            }
            from.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
            closed = code;
            said = reason;
            return null;
        }

        @Override
        public void onError(WebSocket from, Throwable error) {
            closed = 1006;
        }
    }

    private static JsonNode parsed(String line) {
        try {
            return JSON.readTree(line);
        } catch (IOException e) {
            throw new AssertionError("no JSON: " + line, e);
        }
    }
}
