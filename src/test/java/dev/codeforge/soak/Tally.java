package dev.codeforge.soak;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The figures of a soak, in the order in which they are told, and what was found against the promises. */
final class Tally {
    private static final int NAMED = 20;

    private final Map<String, Object> figures = new LinkedHashMap<>();
    private final Breaches breaches;

    Tally(Breaches breaches) {
        this.breaches = breaches;
    }

    void put(String figure, Object value) {
        figures.put(figure, value);
    }

    void print() {
        System.out.println();
        figures.forEach((figure, value) -> {
            if (value instanceof Map<?, ?> parts) {
                System.out.println(figure);
                parts.forEach((part, count) -> System.out.printf("    %-44s %s%n", part, count));
            } else {
                System.out.printf("%-48s %s%n", figure, value);
            }
        });
        System.out.println();
        breaches.found().forEach(Tally::print);
    }

    private static void print(Promise promise, List<String> found) {
        System.out.printf("%-48s %s%n", promise, found.isEmpty() ? "kept" : "BROKEN " + found.size() + " times");
        found.stream().limit(NAMED).forEach(sentence -> System.out.println("    " + sentence));
    }

    void write(Path file) throws IOException {
        final Map<String, List<String>> broken = new LinkedHashMap<>();
        breaches.found().forEach((promise, found) -> broken.put(promise.toString(), found));
        new ObjectMapper()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .writeValue(file.toFile(), Map.of("figures", figures, "broken", broken));
    }
}
