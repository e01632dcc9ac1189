package dev.codeforge.console.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.console.hub.Request;
import dev.codeforge.console.hub.Topic;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.StreamSupport;

/** Parses requests of clients as docs/live.md describes them. Anything else is refused with a sentence. */
final class RequestReader {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> SUBSCRIBE =
            Set.of("type", "id", "namespace", "pool", "task", "labels", "topics", "afterEvent", "afterLine");
    private static final Set<String> QUERY =
            Set.of("namespace", "pool", "task", "labels", "topics", "afterEvent", "afterLine");
    private static final int LONGEST_ID = 64;

    private RequestReader() {}

    /** A message of a WebSocket client. */
    sealed interface Said {
        record Hello(String token) implements Said {}

        record Subscribe(Request request) implements Said {}

        record Unsubscribe(String id) implements Said {}

        record Ping() implements Said {}
    }

    static final class InvalidRequestException extends Exception {
        private static final long serialVersionUID = 1;

        InvalidRequestException(String message) {
            super(message);
        }
    }

    static Said read(String text) throws InvalidRequestException {
        final JsonNode body;
        try {
            body = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new InvalidRequestException("the message is no JSON: " + e.getOriginalMessage());
        }
        if (body == null || !body.isObject()) {
            throw new InvalidRequestException("the message is no JSON object");
        }
        final Function<String, Optional<String>> fields = name -> Optional.ofNullable(body.get(name))
                .filter(value -> !value.isNull())
                .map(JsonNode::asText);
        return switch (fields.apply("type").orElse("")) {
            case "hello" -> new Said.Hello(required(fields, "token"));
            case "subscribe" -> {
                refuseUnknown(body::fieldNames, SUBSCRIBE);
                yield new Said.Subscribe(request(required(fields, "id"), fields, topics(body.get("topics"))));
            }
            case "unsubscribe" -> new Said.Unsubscribe(required(fields, "id"));
            case "ping" -> new Said.Ping();
            default -> throw new InvalidRequestException("`type` is none of hello, subscribe, unsubscribe, ping");
        };
    }

    /** The one subscription of an SSE stream. */
    static Request query(Map<String, List<String>> parameters, Optional<String> lastEventId)
            throws InvalidRequestException {
        refuseUnknown(parameters.keySet(), QUERY);
        final Map<String, String> single = new HashMap<>();
        for (final Map.Entry<String, List<String>> parameter : parameters.entrySet()) {
            if (parameter.getValue().size() != 1) {
                throw new InvalidRequestException("`" + parameter.getKey() + "` is there more than once");
            }
            single.put(parameter.getKey(), parameter.getValue().getFirst());
        }
        lastEventId.map(EventId::parse).ifPresent(id -> {
            id.event().ifPresent(sequence -> single.put("afterEvent", Long.toString(sequence)));
            id.line().ifPresent(sequence -> single.put("afterLine", Long.toString(sequence)));
        });
        final Optional<String> topics = Optional.ofNullable(single.get("topics"));
        return request(
                "sse",
                name -> Optional.ofNullable(single.get(name)),
                topics.isEmpty()
                        ? defaults()
                        : topics(Arrays.asList(topics.get().split(","))));
    }

    private static Request request(String id, Function<String, Optional<String>> fields, Set<Topic> topics)
            throws InvalidRequestException {
        if (id.length() > LONGEST_ID) {
            throw new InvalidRequestException("`id` has more than " + LONGEST_ID + " characters");
        }
        final Request request = new Request(
                id,
                required(fields, "namespace"),
                fields.apply("pool"),
                fields.apply("task"),
                labels(fields.apply("labels")),
                topics,
                sequence(fields, "afterEvent"),
                sequence(fields, "afterLine"));
        if (topics.contains(Topic.LOG) && request.task().isEmpty()) {
            throw new InvalidRequestException("a log is of one task: name it in `task`");
        }
        return request;
    }

    private static void refuseUnknown(Iterable<String> names, Set<String> known) throws InvalidRequestException {
        final Optional<String> unknown = StreamSupport.stream(names.spliterator(), false)
                .filter(name -> !known.contains(name))
                .findFirst();
        if (unknown.isPresent()) {
            throw new InvalidRequestException("`" + unknown.get() + "` is not known here");
        }
    }

    private static String required(Function<String, Optional<String>> fields, String name)
            throws InvalidRequestException {
        return fields.apply(name)
                .filter(value -> !value.isBlank())
                .orElseThrow(() -> new InvalidRequestException("`" + name + "` is missing"));
    }

    private static Optional<Long> sequence(Function<String, Optional<String>> fields, String name)
            throws InvalidRequestException {
        final Optional<String> text = fields.apply(name);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return text.map(Long::parseLong).filter(sequence -> sequence >= 0).or(() -> {
                throw new NumberFormatException("negative");
            });
        } catch (NumberFormatException e) {
            throw new InvalidRequestException("`" + name + "` is no sequence: " + text.get());
        }
    }

    private static Set<Topic> defaults() {
        return EnumSet.of(Topic.POOLS, Topic.TASKS, Topic.EVENTS);
    }

    private static Set<Topic> topics(JsonNode topics) throws InvalidRequestException {
        if (topics == null || topics.isNull()) {
            return defaults();
        }
        return topics(StreamSupport.stream(topics.spliterator(), false)
                .map(JsonNode::asText)
                .toList());
    }

    private static Set<Topic> topics(List<String> names) throws InvalidRequestException {
        final Set<Topic> topics = EnumSet.noneOf(Topic.class);
        for (final String name : names) {
            topics.add(Arrays.stream(Topic.values())
                    .filter(topic -> topic.name().toLowerCase(Locale.ROOT).equals(name))
                    .findFirst()
                    .orElseThrow(() -> new InvalidRequestException(
                            "`topics` has `" + name + "`, which is none of pools, tasks, events, log")));
        }
        if (topics.isEmpty()) {
            throw new InvalidRequestException("`topics` is empty: leave it out for pools, tasks and events");
        }
        return topics;
    }

    /** {@code key=value}, separated by commas. */
    private static Map<String, String> labels(Optional<String> text) throws InvalidRequestException {
        final Map<String, String> labels = new HashMap<>();
        for (final String pair : text.map(all -> all.split(",")).orElse(new String[0])) {
            final String[] parts = pair.split("=", 2);
            if (parts.length != 2 || parts[0].isBlank()) {
                throw new InvalidRequestException("`labels` has `" + pair + "`, which is not key=value");
            }
            labels.put(parts[0].strip(), parts[1].strip());
        }
        return labels;
    }
}
