package dev.codeforge.console.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.codeforge.jetstream.LiveStreams;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/**
 * A message to a client, one line of JSON.
 *
 * @param event the client's position in RESULTS after this message; {@link #SAME} if unchanged
 * @param line the same in LOGS
 */
public record Message(String json, long event, long line) {
    public static final long SAME = -1;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The part that is the same for all readers; the subscription's id precedes it. */
    record Body(String rest, long event, long line) {
        Message to(Addressee addressee) {
            return new Message(addressee.beginning() + rest, event, line);
        }
    }

    /** The beginning of every message of a subscription. */
    record Addressee(String beginning) {
        static Addressee of(String subscription) {
            return new Addressee("{\"subscription\":" + JSON.valueToTree(subscription) + ",");
        }
    }

    enum Change {
        Present,
        Changed,
        Deleted
    }

    static Body of(Change change, Item item) {
        return new Body(
                "\"type\":\"" + item.kind().type() + "\",\"change\":\"" + change + "\",\"object\":" + item.json() + "}",
                SAME,
                SAME);
    }

    /** Empty when the entry is no JSON object. */
    static Optional<Body> event(LiveStreams.Entry entry) {
        return parsed(entry)
                .map(body -> new Body(entry("event", entry) + ",\"event\":" + body + "}", entry.sequence(), SAME));
    }

    static Optional<Body> line(LiveStreams.Entry entry) {
        return parsed(entry)
                .map(body -> new Body(entry("log", entry) + ",\"line\":" + body + "}", SAME, entry.sequence()));
    }

    private static String entry(String type, LiveStreams.Entry entry) {
        return "\"type\":\"" + type + "\",\"namespace\":"
                + JSON.valueToTree(entry.task().namespace())
                + ",\"pool\":" + JSON.valueToTree(entry.task().pool())
                + ",\"task\":" + JSON.valueToTree(entry.task().id())
                + ",\"sequence\":" + entry.sequence();
    }

    private static Optional<String> parsed(LiveStreams.Entry entry) {
        try {
            final JsonNode body = JSON.readTree(entry.body());
            return body == null || !body.isObject() ? Optional.empty() : Optional.of(body.toString());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** The snapshot is complete; changes follow. */
    static Message synced(Request request, long event, long line) {
        final ObjectNode body = typed("synced").put("subscription", request.id());
        if (request.has(Topic.EVENTS)) {
            body.put("events", event);
        }
        if (request.has(Topic.LOG)) {
            body.put("log", line);
        }
        return new Message(written(body), event, line);
    }

    public static Message welcome(String user, int heartbeatSeconds) {
        return new Message(
                written(typed("welcome").put("user", user).put("heartbeatSeconds", heartbeatSeconds)), SAME, SAME);
    }

    public static Message heartbeat(Instant now) {
        return new Message(written(typed("heartbeat").put("time", now.toString())), SAME, SAME);
    }

    public static Message pong() {
        return new Message(written(typed("pong")), SAME, SAME);
    }

    /** @param subscription that has ended or was not opened; empty for a message that could not be parsed */
    public static Message error(String subscription, Refusal refusal, String sentence) {
        final ObjectNode body = typed("error");
        if (!subscription.isEmpty()) {
            body.put("subscription", subscription);
        }
        return new Message(written(body.put("reason", refusal.name()).put("message", sentence)), SAME, SAME);
    }

    private static ObjectNode typed(String type) {
        return JsonNodeFactory.instance.objectNode().put("type", type);
    }

    private static String written(ObjectNode body) {
        try {
            return JSON.writeValueAsString(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of strings and numbers is always written", e);
        }
    }
}
