package dev.codeforge.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** An OTLP receiver: keeps the spans that it is sent over HTTP as protobuf. */
public final class Collector implements AutoCloseable {
    private static final long MILLI = 1_000_000;

    private final HttpServer server;
    private final List<Seen> spans = new CopyOnWriteArrayList<>();
    private final List<String> authorizations = new CopyOnWriteArrayList<>();

    /**
     * A span as it came.
     *
     * @param parent its parent's id, empty for none
     * @param kind internal, client, producer or consumer
     * @param start nanoseconds since 1970, as is {@code end}
     * @param links trace and span of each, with a dash between
     */
    public record Seen(
            String service,
            String name,
            String trace,
            String id,
            String parent,
            String kind,
            long start,
            long end,
            boolean error,
            Map<String, String> attributes,
            List<String> links) {}

    public Collector() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/traces", this::take);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    public List<Seen> spans() {
        return List.copyOf(spans);
    }

    /** What the header Authorization said, by request. */
    public List<String> authorizations() {
        return List.copyOf(authorizations);
    }

    /** The spans of a trace, each under its parent, in the order of their begin, with their length. */
    public String tree(String trace) {
        final List<Seen> found = spans.stream()
                .filter(span -> span.trace().equals(trace))
                .sorted(Comparator.comparingLong(Seen::start))
                .toList();
        final List<String> ids = found.stream().map(Seen::id).toList();
        return found.stream()
                .filter(span -> !ids.contains(span.parent()))
                .flatMap(span -> lines(span, found, ""))
                .collect(Collectors.joining("\n"));
    }

    private static Stream<String> lines(Seen span, List<Seen> all, String indent) {
        final String error = span.error() ? "  error " + span.attributes().get("error.type") : "";
        final String line = "%-32s %-19s %6d ms%s"
                .formatted(indent + span.name(), span.service(), (span.end() - span.start()) / MILLI, error);
        return Stream.concat(
                Stream.of(line),
                all.stream()
                        .filter(child -> child.parent().equals(span.id()))
                        .flatMap(child -> lines(child, all, indent + "  ")));
    }

    private void take(HttpExchange exchange) throws IOException {
        final boolean zipped = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
        authorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
        try (InputStream body = zipped ? new GZIPInputStream(exchange.getRequestBody()) : exchange.getRequestBody()) {
            ExportTraceServiceRequest.parseFrom(body).getResourceSpansList().forEach(resource -> {
                final String service =
                        values(resource.getResource().getAttributesList()).get("service.name");
                resource.getScopeSpansList().stream()
                        .flatMap(scope -> scope.getSpansList().stream())
                        .forEach(span -> spans.add(seen(service, span)));
            });
        }
        exchange.getResponseHeaders().add("Content-Type", "application/x-protobuf");
        exchange.sendResponseHeaders(200, -1);
        exchange.close();
    }

    private static Seen seen(String service, Span span) {
        return new Seen(
                service,
                span.getName(),
                hex(span.getTraceId().toByteArray()),
                hex(span.getSpanId().toByteArray()),
                hex(span.getParentSpanId().toByteArray()),
                span.getKind().name().substring("SPAN_KIND_".length()).toLowerCase(java.util.Locale.ROOT),
                span.getStartTimeUnixNano(),
                span.getEndTimeUnixNano(),
                span.getStatus().getCode() == Status.StatusCode.STATUS_CODE_ERROR,
                values(span.getAttributesList()),
                span.getLinksList().stream()
                        .map(link -> hex(link.getTraceId().toByteArray()) + "-"
                                + hex(link.getSpanId().toByteArray()))
                        .toList());
    }

    private static Map<String, String> values(List<KeyValue> attributes) {
        return attributes.stream().collect(Collectors.toMap(KeyValue::getKey, pair -> text(pair.getValue())));
    }

    private static String text(AnyValue value) {
        return switch (value.getValueCase()) {
            case INT_VALUE -> Long.toString(value.getIntValue());
            case DOUBLE_VALUE -> Double.toString(value.getDoubleValue());
            default -> value.getStringValue();
        };
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
