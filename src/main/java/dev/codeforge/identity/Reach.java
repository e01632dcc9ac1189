package dev.codeforge.identity;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rights of each identity, read from {@code reach.json}, which the worker's tests read too. A pool's own names
 * replace {@code {namespace}} and {@code {pool}}.
 */
record Reach(Streams streams, Namespace namespace, Bounded pool, Bounded clients, Bounded viewers) {
    /** What the account with the streams exports. */
    record Streams(List<Shared> exports) {}

    /** What all pools of a namespace share. */
    record Namespace(List<Shared> imports) {}

    /** What an account imports, and the part of it that its user may use. */
    record Bounded(List<Shared> imports, List<String> publish, List<String> subscribe) {}

    /** @param responseType of a service; absent for one answer per request */
    record Shared(String type, String subject, @JsonProperty("response_type") @Nullable String responseType) {

        private Shared of(String namespace, String pool) {
            return new Shared(type, named(subject, namespace, pool), responseType);
        }
    }

    static Reach shipped() {
        try (InputStream in = Objects.requireNonNull(Reach.class.getResourceAsStream("reach.json"))) {
            return new ObjectMapper().readValue(in, Reach.class);
        } catch (IOException e) {
            throw new IllegalStateException("reach.json of our own cannot be read", e);
        }
    }

    /** The imports of a namespace's account with these pools. */
    List<Shared> imports(String namespace, List<PoolIdentity> pools) {
        return Stream.concat(
                        this.namespace.imports().stream().map(shared -> shared.of(namespace, "")),
                        pools.stream()
                                .flatMap(of -> pool.imports().stream().map(shared -> shared.of(namespace, of.name()))))
                .toList();
    }

    List<String> publish(String namespace, String name) {
        return named(pool.publish(), namespace, name);
    }

    List<String> subscribe(String namespace, String name) {
        return named(pool.subscribe(), namespace, name);
    }

    private static List<String> named(List<String> subjects, String namespace, String pool) {
        return subjects.stream().map(subject -> named(subject, namespace, pool)).toList();
    }

    private static String named(String subject, String namespace, String pool) {
        return subject.replace("{namespace}", namespace).replace("{pool}", pool);
    }
}
