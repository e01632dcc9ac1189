package dev.codeforge.operator.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.identity.AccountPlanner;
import dev.codeforge.operator.tracing.TelemetrySettings;
import dev.codeforge.wire.Subjects;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The operator's installation, read from its environment.
 *
 * @param namespace the operator's own
 * @param release the name of the Helm release, or of another installation method
 * @param watchNamespaces empty for all
 * @param nats address of NATS, and who creates its users
 * @param workerImages image by backend
 * @param workerDefaults defaults for a pool's template
 * @param subjectTemplate may use {@code {backend}}, {@code {namespace}} and {@code {pool}}
 * @param filesBytes capacity of a pool's bucket of files
 * @param sweepPeriod pause between the end of a sweep and the next one
 * @param httpPort health and metrics
 * @param telemetry where traces are exported to
 */
public record OperatorSettings(
        String namespace,
        String release,
        String podName,
        Set<String> watchNamespaces,
        NatsSettings nats,
        Map<String, String> workerImages,
        String imagePullPolicy,
        WorkerDefaults workerDefaults,
        String subjectTemplate,
        boolean leaderElection,
        long filesBytes,
        Duration sweepPeriod,
        int httpPort,
        TelemetrySettings telemetry) {
    private static final int LAST_PORT = 65_535;
    private static final long LEAST_FILES_BYTES = 1L << 20;
    private static final int LEAST_SWEEP_SECONDS = 5;
    /** Less than the chart's minimum, which leaves the kubelet time to bring renewed Secrets to the workers. */
    private static final int LEAST_CREDENTIAL_SECONDS = 2;

    private static final int MOST_SWEEP_SECONDS = 3600;

    /** @throws IllegalArgumentException with a sentence on what to set */
    public static OperatorSettings from(Map<String, String> environment) {
        return new OperatorSettings(
                required(environment, "CODEFORGE_NAMESPACE"),
                environment.getOrDefault("CODEFORGE_RELEASE", "codeforge"),
                environment.getOrDefault("CODEFORGE_POD_NAME", "codeforge-operator"),
                watchNamespaces(environment),
                nats(environment),
                images(environment.getOrDefault("CODEFORGE_WORKER_IMAGES", "{}")),
                environment.getOrDefault("CODEFORGE_IMAGE_PULL_POLICY", "IfNotPresent"),
                WorkerDefaults.from(environment.getOrDefault("CODEFORGE_WORKER_DEFAULTS", "{}")),
                subjectTemplate(environment.getOrDefault("CODEFORGE_SUBJECT_TEMPLATE", "tasks.agent.{backend}")),
                Boolean.parseBoolean(environment.getOrDefault("CODEFORGE_LEADER_ELECTION", "true")),
                filesBytes(environment.getOrDefault("CODEFORGE_FILES_BYTES", "104857600")),
                sweepPeriod(environment.getOrDefault("CODEFORGE_SWEEP_SECONDS", "30")),
                port(environment.getOrDefault("CODEFORGE_HTTP_PORT", "8081")),
                TelemetrySettings.from(environment));
    }

    private static NatsSettings nats(Map<String, String> environment) {
        final ConnectionSecret secret =
                new ConnectionSecret(Path.of(environment.getOrDefault("CODEFORGE_NATS_DIR", "/etc/codeforge/nats")));
        final String users = environment.getOrDefault("CODEFORGE_NATS_USERS", "Given");
        final Duration lifetime = credentialLifetime(environment.getOrDefault("CODEFORGE_CREDENTIAL_SECONDS", "86400"));
        return switch (users) {
            case "Minted" -> new NatsSettings.Minted(secret.url(), lifetime);
            case "AccountSigningKey" -> secret.accountSigningKey(lifetime);
            case "OperatorSigningKey" -> secret.operatorSigningKey(lifetime);
            case "Given" ->
                secret.given(Boolean.parseBoolean(environment.getOrDefault("CODEFORGE_SHARED_NATS_USER", "false")));
            default ->
                throw new IllegalArgumentException("CODEFORGE_NATS_USERS is neither Minted, for a server that "
                        + "trusts the operator's keys, nor OperatorSigningKey or AccountSigningKey, for keys in the "
                        + "connection Secret, nor Given, for users in it: '" + users + "'");
        };
    }

    private static Duration credentialLifetime(String value) {
        final long most = AccountPlanner.LONGEST_LIFETIME.toSeconds();
        return Duration.ofSeconds(numberWithin(value, LEAST_CREDENTIAL_SECONDS, most)
                .orElseThrow(() -> new IllegalArgumentException(
                        "CODEFORGE_CREDENTIAL_SECONDS is not a number of seconds from " + LEAST_CREDENTIAL_SECONDS
                                + " to " + most + ": '" + value + "'; set nats.credentialSeconds of the chart")));
    }

    /** The watched namespaces; empty for all. */
    public static Set<String> watchNamespaces(Map<String, String> environment) {
        return Arrays.stream(environment
                        .getOrDefault("CODEFORGE_WATCH_NAMESPACES", "")
                        .split(","))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
    }

    private static String required(Map<String, String> environment, String name) {
        final String value = environment.getOrDefault(name, "");
        if (value.isEmpty()) {
            throw new IllegalArgumentException(name + " is not set: the Helm chart sets it from the pod");
        }
        return value;
    }

    private static Map<String, String> images(String json) {
        try {
            final Map<String, String> images =
                    new ObjectMapper().readValue(json, new TypeReference<Map<String, String>>() {});
            if (images == null || images.containsValue(null)) {
                throw badImages("null is no image");
            }
            return Map.copyOf(images);
        } catch (JsonProcessingException e) {
            throw badImages(e.getOriginalMessage());
        }
    }

    private static IllegalArgumentException badImages(String why) {
        return new IllegalArgumentException("CODEFORGE_WORKER_IMAGES is not a JSON object of backend to image: " + why);
    }

    private static long filesBytes(String value) {
        return numberWithin(value, LEAST_FILES_BYTES, Long.MAX_VALUE)
                .orElseThrow(() -> new IllegalArgumentException("CODEFORGE_FILES_BYTES is not a number of bytes of "
                        + LEAST_FILES_BYTES + " (1 MiB) or more: '" + value + "'; set files.sizePerPool of the chart"));
    }

    private static String subjectTemplate(String value) {
        if (value.startsWith(Subjects.TASKS)) {
            return value;
        }
        throw new IllegalArgumentException("CODEFORGE_SUBJECT_TEMPLATE does not begin with '" + Subjects.TASKS + "': '"
                + value + "'; every other subject belongs to the platform, set subjectTemplate of the chart");
    }

    private static Duration sweepPeriod(String value) {
        return Duration.ofSeconds(numberWithin(value, LEAST_SWEEP_SECONDS, MOST_SWEEP_SECONDS)
                .orElseThrow(() -> new IllegalArgumentException(
                        "CODEFORGE_SWEEP_SECONDS is not a number of seconds from " + LEAST_SWEEP_SECONDS + " to "
                                + MOST_SWEEP_SECONDS + ": '" + value + "'; set sweepSeconds of the chart")));
    }

    /** 0 takes any free port. */
    private static int port(String value) {
        return (int) numberWithin(value, 0, LAST_PORT)
                .orElseThrow(() -> new IllegalArgumentException(
                        "CODEFORGE_HTTP_PORT is not a port number from 0 to " + LAST_PORT + ": '" + value + "'"));
    }

    /** Empty when the text is no whole number within the range. */
    private static OptionalLong numberWithin(String value, long least, long most) {
        try {
            final long number = Long.parseLong(value);
            return number >= least && number <= most ? OptionalLong.of(number) : OptionalLong.empty();
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
