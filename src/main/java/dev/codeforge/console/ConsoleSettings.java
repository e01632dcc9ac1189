package dev.codeforge.console;

import dev.codeforge.console.hub.Limits;
import dev.codeforge.jetstream.NatsAccess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The console's installation, read from its environment.
 *
 * @param namespaces the watched ones; empty for all
 * @param port of {@code /ws} and {@code /events}
 * @param healthPort of probes and metrics
 * @param pathPrefix before every path, as {@code /codeforge}; empty for none
 * @param origins of pages that may connect, besides those of the console's own host
 * @param freshness how long an answer of the API server about a caller is cached, and so how long a withdrawn right may
 *     still work
 */
public record ConsoleSettings(
        Set<String> namespaces,
        NatsAccess nats,
        int port,
        int healthPort,
        String pathPrefix,
        Set<String> origins,
        Limits limits,
        Duration freshness) {

    /** @throws IllegalArgumentException with a sentence that says what to set */
    public static ConsoleSettings from(Map<String, String> environment) {
        return new ConsoleSettings(
                list(environment, "CODEFORGE_WATCH_NAMESPACES"),
                nats(environment),
                (int) number(environment, "CODEFORGE_CONSOLE_PORT", 8082, 0, 65_535),
                (int) number(environment, "CODEFORGE_HTTP_PORT", 8081, 0, 65_535),
                prefix(environment.getOrDefault("CODEFORGE_CONSOLE_PATH_PREFIX", "")),
                list(environment, "CODEFORGE_CONSOLE_ORIGINS"),
                new Limits(
                        (int) number(environment, "CODEFORGE_CONSOLE_CONNECTIONS", 20, 1, 1_000_000),
                        (int) number(environment, "CODEFORGE_CONSOLE_SUBSCRIPTIONS", 50, 1, 10_000),
                        number(environment, "CODEFORGE_CONSOLE_QUEUE_BYTES", 1 << 20, 64 << 10, 1 << 30)),
                Duration.ofSeconds(number(environment, "CODEFORGE_CONSOLE_REVIEW_SECONDS", 15, 1, 3_600)));
    }

    private static NatsAccess nats(Map<String, String> environment) {
        final String url = environment.getOrDefault("NATS_URL", "");
        if (url.isBlank()) {
            throw new IllegalArgumentException("NATS_URL is not set: the Helm chart sets it");
        }
        final String credentials = environment.getOrDefault("NATS_CREDENTIALS", "");
        return credentials.isEmpty()
                ? new NatsAccess.Password(
                        url, environment.getOrDefault("NATS_USER", ""), environment.getOrDefault("NATS_PASSWORD", ""))
                : new NatsAccess.CredentialsFile(url, Path.of(credentials));
    }

    private static String prefix(String text) {
        if (!text.isEmpty() && (!text.startsWith("/") || text.endsWith("/"))) {
            throw new IllegalArgumentException(
                    "CODEFORGE_CONSOLE_PATH_PREFIX begins with / and does not end with it: '" + text + "'");
        }
        return text;
    }

    private static Set<String> list(Map<String, String> environment, String name) {
        return Arrays.stream(environment.getOrDefault(name, "").split(","))
                .map(String::strip)
                .filter(entry -> !entry.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
    }

    private static long number(Map<String, String> environment, String name, long otherwise, long least, long most) {
        final String text = environment.getOrDefault(name, "");
        if (text.isBlank()) {
            return otherwise;
        }
        try {
            final long number = Long.parseLong(text.strip());
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // An invalid number fails the range check below.
        }
        throw new IllegalArgumentException(
                name + " is not a number from " + least + " to " + most + ": '" + text + "'");
    }
}
