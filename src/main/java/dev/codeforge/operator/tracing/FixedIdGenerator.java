package dev.codeforge.operator.tracing;

import io.opentelemetry.sdk.trace.IdGenerator;
import java.util.Optional;
import java.util.function.Supplier;

/** Gives spans predefined ids: a span that is exported twice has the same id both times. */
final class FixedIdGenerator implements IdGenerator {
    private record Ids(String trace, String span) {}

    private final IdGenerator random = IdGenerator.random();
    private final ThreadLocal<Optional<Ids>> given = ThreadLocal.withInitial(Optional::empty);

    /** Spans that start within the call get these ids. */
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
