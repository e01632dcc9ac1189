package dev.codeforge.operator.tracing;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigProperties;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingResult;
import java.util.List;

/**
 * Samples by the last 56 bits of the trace id, as W3C's trace context has it. The SDK's own ratio uses the last 64, of
 * which the first two are constant in a UUID: below one half it would sample nothing.
 */
final class UidSampler implements Sampler {
    private static final int RANDOM_DIGITS = 14;
    private static final long ALL = 1L << 56;

    private final long dropped;

    UidSampler(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException(
                    "OTEL_TRACES_SAMPLER_ARG is " + share + ": set the share of the traces to keep, from 0 to 1");
        }
        this.dropped = Math.round((1 - share) * ALL);
    }

    /** Replaces the SDK's ratio sampler and keeps any other sampler. */
    static Sampler inPlaceOf(Sampler given, ConfigProperties config) {
        return switch (config.getString("otel.traces.sampler", "")) {
            case "traceidratio", "parentbased_traceidratio" ->
                new UidSampler(config.getDouble("otel.traces.sampler.arg", 1));
            default -> given;
        };
    }

    @Override
    public SamplingResult shouldSample(
            Context parent, String traceId, String name, SpanKind kind, Attributes attributes, List<LinkData> links) {
        final long random = Long.parseLong(traceId.substring(traceId.length() - RANDOM_DIGITS), 16);
        return random >= dropped ? SamplingResult.recordAndSample() : SamplingResult.drop();
    }

    @Override
    public String getDescription() {
        return "UidSampler{dropped=" + dropped + " of " + ALL + "}";
    }
}
