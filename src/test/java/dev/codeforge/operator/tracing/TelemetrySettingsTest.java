package dev.codeforge.operator.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TelemetrySettingsTest {
    private static final Map<String, String> SET = Map.of(
            "OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318",
            "OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret",
            "OTEL_SERVICE_NAME", "mine",
            "OTEL_TRACES_SAMPLER", "always_on",
            "HOME", "/root");

    @Test
    void anEndpointSwitchesTracesOn() {
        assertThat(TelemetrySettings.from(SET).isOn()).isTrue();
        assertThat(TelemetrySettings.from(
                                Map.of("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces"))
                        .isOn())
                .isTrue();
        assertThat(TelemetrySettings.from(Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", " ", "OTEL_SERVICE_NAME", "mine"))
                        .isOn())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"OTEL_SDK_DISABLED=true", "OTEL_TRACES_EXPORTER=none"})
    void theStandardWaysOutAreKept(String variable) {
        final String[] pair = variable.split("=");
        final TelemetrySettings settings = TelemetrySettings.from(
                Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", pair[0], pair[1]));
        assertThat(settings.isOn()).isFalse();
        assertThat(settings.forWorkers()).isEmpty();
    }

    @Test
    void workersGetTheWayToTheCollectorAndNothingElse() {
        final TelemetrySettings settings = TelemetrySettings.from(SET);
        assertThat(settings.forWorkers()).isEqualTo(Map.of("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"));
        assertThat(settings.secretsForWorkers())
                .isEqualTo(Map.of("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret"));
    }
}
