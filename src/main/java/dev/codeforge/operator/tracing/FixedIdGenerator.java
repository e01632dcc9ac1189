package dev.codeforge.operator.tracing;

import io.opentelemetry.sdk.trace.IdGenerator;
import java.util.Optional;
import java.util.function.Supplier;

/** Ids that were decided on before: whoever tells of the same thing again tells it under the same id. */
final class FixedIdGenerator implements IdGenerator {
    private record Ids(String trace, String span) {}

    private final IdGenerator random = IdGenerator.random();
    private final ThreadLocal<Optional<Ids>> given = ThreadLocal.withInitial(Optional::empty);

    /** What is begun in here has these ids. */
    <T> T during(String trace, String span, Supplier<T> begin) {
        given.set(Optional.of(new Ids(trace, span)));
        try {
            return begin.get();
        } finally {
            given.remove();
        }
    }

    @Override
    public String generateTraceId() {
        return given.get().map(Ids::trace).orElseGet(random::generateTraceId);
    }

    @Override
    public String generateSpanId() {
        return given.get().map(Ids::span).orElseGet(random::generateSpanId);
    }
}
