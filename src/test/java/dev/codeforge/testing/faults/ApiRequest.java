package dev.codeforge.testing.faults;

import java.util.Set;
import java.util.function.Predicate;

/** A request to the API server; {@code query} is empty where there is none. */
public record ApiRequest(String verb, String path, String query) {
    private static final Set<String> WRITES = Set.of("POST", "PUT", "PATCH", "DELETE");

    public boolean isWrite() {
        return WRITES.contains(verb);
    }

    public boolean isWatch() {
        return query.contains("watch=true") || query.contains("watch=1");
    }

    /** Whether it asks for all objects of a kind in a namespace. */
    public boolean isList() {
        return verb.equals("GET") && !isWatch() && path.matches(".*/namespaces/[^/]+/[^/]+");
    }

    /** The path of the object that is written, without {@code /status} or {@code /scale}. */
    public String object() {
        return path.replaceFirst("/(status|scale)$", "");
    }

    /** Writes of this kind to paths with this end, such as {@code PATCH} and {@code /agenttasks/one/status}. */
    public static Predicate<ApiRequest> to(String verb, String pathEnd) {
        return request -> request.verb().equals(verb) && request.path().endsWith(pathEnd);
    }

    /** Writes of the status of this AgentTask. */
    public static Predicate<ApiRequest> taskStatus(String name) {
        return to("PATCH", "/agenttasks/" + name + "/status");
    }
}
