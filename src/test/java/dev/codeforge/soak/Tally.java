package dev.codeforge.soak;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The figures of a soak, in the order in which they are told. */
final class Tally {
    private static final int NAMED = 20;

    private final Map<String, Object> figures = new LinkedHashMap<>();
    private final Map<String, List<String>> broken = new LinkedHashMap<>();

    void put(String figure, Object value) {
        figures.put(figure, value);
    }

    void broken(Map<String, List<String>> promises) {
        broken.putAll(promises);
    }

    boolean isWhole() {
        return broken.values().stream().allMatch(List::isEmpty);
    }

    void print() {
        System.out.println();
        figures.forEach((figure, value) -> System.out.printf("%-42s %s%n", figure, value));
        System.out.println();
        broken.forEach((promise, tasks) -> {
            System.out.printf("%-42s %s%n", promise, tasks.isEmpty() ? "kept" : "BROKEN " + tasks.size() + " times");
            tasks.stream().limit(NAMED).forEach(task -> System.out.println("    " + task));
        });
    }

    void write(Path file) throws IOException {
        new ObjectMapper()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .writeValue(file.toFile(), Map.of("figures", figures, "broken", broken));
    }
}
