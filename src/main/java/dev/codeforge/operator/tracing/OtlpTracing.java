package dev.codeforge.operator.tracing;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Names;
import dev.codeforge.api.Phase;
import dev.codeforge.wire.Headers;
import dev.codeforge.wire.TraceIds;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.opentelemetry.sdk.trace.samplers.SamplingDecision;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Exports spans over OTLP, on a thread of the SDK and with a bounded queue. A span is recorded once its end is known.
 * If the operator is killed before the export, the span is lost; it is never exported under another id.
 */
public final class OtlpTracing implements Tracing {
    private static final Logger LOG = LoggerFactory.getLogger(OtlpTracing.class);
    private static final String SERVICE = "codeforge-operator";
    private static final long CLOSE_SECONDS = 5;
    private static final Map<String, String> DEFAULTS = Map.of(
            "otel.service.name", SERVICE,
            "otel.exporter.otlp.protocol", TelemetrySettings.SPOKEN,
            "otel.metrics.exporter", "none",
            "otel.logs.exporter", "none",
            "otel.propagators", "none");

    private final FixedIdGenerator ids;
    private final Sampler sampler;
    private final OpenTelemetrySdk sdk;
    private final Tracer tracer;

    private OtlpTracing(FixedIdGenerator ids, Sampler sampler, OpenTelemetrySdk sdk) {
        this.ids = ids;
        this.sampler = sampler;
        this.sdk = sdk;
        this.tracer = sdk.getTracer(SERVICE);
    }

    /** Tracing that cannot start must not stop the operator: the log says why there are no traces. */
    public static Tracing of(TelemetrySettings settings) {
        if (!settings.isOn()) {
            return OFF;
        }
        if (!settings.protocol().equals(TelemetrySettings.SPOKEN)) {
            LOG.warn(
                    "no traces: OTEL_EXPORTER_OTLP_PROTOCOL is {}, and only {} is spoken: unset it",
                    settings.protocol(),
                    TelemetrySettings.SPOKEN);
            return OFF;
        }
        final Map<String, String> properties = new HashMap<>(DEFAULTS);
        properties.putAll(settings.properties());
        final FixedIdGenerator ids = new FixedIdGenerator();
        final AtomicReference<Sampler> sampler = new AtomicReference<>(Sampler.alwaysOn());
        try {
            final OpenTelemetrySdk sdk = AutoConfiguredOpenTelemetrySdk.builder()
                    .disableShutdownHook()
                    .addPropertiesSupplier(() -> properties)
                    .addTracerProviderCustomizer((builder, config) -> builder.setIdGenerator(ids))
                    .addSamplerCustomizer((given, config) -> {
                        sampler.set(UidSampler.inPlaceOf(given, config));
                        return sampler.get();
                    })
                    .build()
                    .getOpenTelemetrySdk();
            return new OtlpTracing(ids, sampler.get(), sdk);
        } catch (RuntimeException e) {
            LOG.warn("no traces: OpenTelemetry's variables cannot be used: {}", e.getMessage());
            return OFF;
        }
    }

    @Override
    public boolean wants(String uid) {
        return sampler.shouldSample(
                                Context.root(),
                                TraceIds.trace(uid),
                                "AgentTask",
                                SpanKind.INTERNAL,
                                Attributes.empty(),
                                List.of())
                        .getDecision()
                == SamplingDecision.RECORD_AND_SAMPLE;
    }

    @Override
    public void published(AgentTask task, int attempt, String stream, long sequence, Instant since) {
        final SpanBuilder span = tracer.spanBuilder("publish " + attempt)
                .setSpanKind(SpanKind.PRODUCER)
                .setAttribute("messaging.system", "nats")
                .setAttribute("messaging.operation.type", "send")
                .setAttribute("messaging.operation.name", "publish")
                .setAttribute("messaging.destination.name", stream)
                .setAttribute("messaging.message.id", Long.toString(sequence))
                .setAttribute("codeforge.attempt", attempt);
        begin(span, task, TraceIds.publish(task.uid(), attempt), since).end();
    }

    @Override
    public void ended(AgentTask task, AgentTaskStatus status, Instant since) {
        final Instant now = Instant.now();
        final SpanBuilder write = tracer.spanBuilder("status write")
                .setAttribute("codeforge.phase", String.valueOf(status.phase()))
                .setAttribute("codeforge.attempt", status.attempts());
        begin(write, task, TraceIds.statusWrite(task.uid(), status.attempts()), since)
                .end(now);
        if (!isRerun(status)) {
            whole(task, status, now);
        }
    }

    /** True if the task had ended before: the history has an end from before the last rerun. */
    private static boolean isRerun(AgentTaskStatus status) {
        final List<Phase> earlier = status.history().stream()
                .limit(Math.max(0, status.history().size() - 1))
                .map(AgentTaskStatus.HistoryEntry::outcome)
                .toList();
        return status.usageAtRerun() != null
                || earlier.contains(Phase.Succeeded)
                || earlier.contains(Phase.Cancelled)
                || earlier.stream().filter(Phase.Failed::equals).count() > status.failedAttempts();
    }

    /** Exported at the first end. A rerun adds its spans to the same trace. */
    private void whole(AgentTask task, AgentTaskStatus status, Instant now) {
        final SpanBuilder builder = tracer.spanBuilder("AgentTask")
                .setNoParent()
                .setStartTimestamp(Instant.parse(task.getMetadata().getCreationTimestamp()))
                .setAttribute("codeforge.task.id", task.uid())
                .setAttribute("codeforge.task.name", task.getMetadata().getName())
                .setAttribute("codeforge.namespace", task.getMetadata().getNamespace())
                .setAttribute("codeforge.pool", task.getSpec().workerPoolRef().name())
                .setAttribute("codeforge.phase", String.valueOf(status.phase()))
                .setAttribute("codeforge.attempts", status.attempts());
        origin(task).ifPresent(builder::addLink);
        final Span span = ids.during(TraceIds.trace(task.uid()), TraceIds.task(task.uid()), builder::startSpan);
        final AgentTaskStatus.Usage usage = status.usage();
        if (usage != null) {
            span.setAttribute("gen_ai.usage.input_tokens", usage.tokensIn());
            span.setAttribute("gen_ai.usage.output_tokens", usage.tokensOut());
            span.setAttribute("codeforge.cost_usd", Double.parseDouble(usage.costUSD()));
        }
        final AgentTaskStatus.Failure error = status.error();
        if (status.phase() == Phase.Failed && error != null) {
            span.setAttribute("error.type", error.type());
            span.setStatus(StatusCode.ERROR, error.message());
        }
        span.end(now);
    }

    private Span begin(SpanBuilder builder, AgentTask task, String id, Instant since) {
        final String trace = TraceIds.trace(task.uid());
        final SpanContext parent = SpanContext.createFromRemoteParent(
                trace,
                TraceIds.task(task.uid()),
                wants(task.uid()) ? TraceFlags.getSampled() : TraceFlags.getDefault(),
                TraceState.getDefault());
        builder.setParent(Context.root().with(Span.wrap(parent))).setStartTimestamp(since);
        return ids.during(trace, id, builder::startSpan);
    }

    /** The span of the caller that created the task. */
    private static Optional<SpanContext> origin(AgentTask task) {
        final Map<String, String> annotations = task.getMetadata().getAnnotations();
        final Map<String, String> carrier = annotations == null || annotations.get(Names.TRACEPARENT_ANNOTATION) == null
                ? Map.of()
                : Map.of(Headers.TRACEPARENT, annotations.get(Names.TRACEPARENT_ANNOTATION));
        final Context read =
                W3CTraceContextPropagator.getInstance().extract(Context.root(), carrier, CarrierReader.INSTANCE);
        return Optional.of(Span.fromContext(read).getSpanContext()).filter(SpanContext::isValid);
    }

    @Override
    public void close() {
        sdk.getSdkTracerProvider().shutdown().join(CLOSE_SECONDS, TimeUnit.SECONDS);
    }
}
