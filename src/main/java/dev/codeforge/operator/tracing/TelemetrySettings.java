package dev.codeforge.operator.tracing;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where traces are exported to, by OpenTelemetry's own variables.
 *
 * @param variables those of the operator's environment whose name begins with {@code OTEL_}; blank ones are unset
 */
public record TelemetrySettings(Map<String, String> variables) {
    public static final TelemetrySettings OFF = new TelemetrySettings(Map.of());
    static final String SPOKEN = "http/protobuf";

    private static final String PREFIX = "OTEL_";
    private static final String EXPORTER = "OTEL_EXPORTER_OTLP_";
    private static final String TRACES = "OTEL_EXPORTER_OTLP_TRACES_";
    /**
     * Suffixes of the variables that a worker needs to reach the same collector. Certificate files are left out: the
     * worker's image has none.
     */
    private static final Set<String> WAY = Set.of("ENDPOINT", "PROTOCOL", "TIMEOUT", "COMPRESSION");

    public TelemetrySettings {
        variables = Map.copyOf(variables);
    }

    public static TelemetrySettings from(Map<String, String> environment) {
        return new TelemetrySettings(environment.entrySet().stream()
                .filter(variable -> variable.getKey().startsWith(PREFIX))
                .filter(variable -> !variable.getValue().isBlank())
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
    }

    public boolean isOn() {
        return !otlp("ENDPOINT", "").isEmpty()
                && !"true".equalsIgnoreCase(variables.get("OTEL_SDK_DISABLED"))
                && "otlp".equals(variables.getOrDefault("OTEL_TRACES_EXPORTER", "otlp"));
    }

    String protocol() {
        return otlp("PROTOCOL", SPOKEN);
    }

    private String otlp(String name, String otherwise) {
        return variables.getOrDefault(TRACES + name, variables.getOrDefault(EXPORTER + name, otherwise));
    }

    /**
     * True if the variable, whose name may be null, configures a collector: a pool that sets it has its own collector.
     */
    public static boolean namesCollector(@Nullable String variable) {
        return (EXPORTER + "ENDPOINT").equals(variable) || (TRACES + "ENDPOINT").equals(variable);
    }

    /** Variables of the workers; empty when traces are off. */
    public Map<String, String> forWorkers() {
        return chosen(WAY);
    }

    /** Variables of the workers that hold secrets. */
    public Map<String, String> secretsForWorkers() {
        return chosen(Set.of("HEADERS"));
    }

    private Map<String, String> chosen(Set<String> names) {
        if (!isOn()) {
            return Map.of();
        }
        return names.stream()
                .flatMap(name -> Stream.of(EXPORTER + name, TRACES + name))
                .filter(variables::containsKey)
                .collect(Collectors.toMap(name -> name, variables::get));
    }

    /** As properties of the SDK's configuration. */
    Map<String, String> properties() {
        return variables.entrySet().stream()
                .collect(Collectors.toMap(
                        variable -> variable.getKey().toLowerCase(Locale.ROOT).replace('_', '.'), Map.Entry::getValue));
    }
}
