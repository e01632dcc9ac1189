package dev.codeforge.soak;

import dev.codeforge.testing.faults.ApiWrite;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the operators wrote to the API server. */
final class Writes {
    private final List<ApiWrite> done;

    Writes(List<ApiWrite> all) {
        this.done = all.stream().filter(ApiWrite::isDone).toList();
    }

    /** Writes a task, those without any counted as 0. */
    record PerTask(int median, int p99, int most) {
        @Override
        public String toString() {
            return median + ", " + p99 + ", " + most;
        }
    }

    PerTask perTask(List<Task> tasks) {
        final Map<String, Long> counts = done.stream()
                .filter(write -> write.request().path().contains("/agenttasks/"))
                .collect(Collectors.groupingBy(
                        write -> write.request().object().replaceFirst(".*/", ""), Collectors.counting()));
        final int[] sorted = tasks.stream()
                .filter(task -> task.kind().isResource())
                .mapToInt(task -> counts.getOrDefault(task.name(), 0L).intValue())
                .sorted()
                .toArray();
        if (sorted.length == 0) {
            return new PerTask(0, 0, 0);
        }
        return new PerTask(
                sorted[sorted.length / 2],
                sorted[(int) Math.min(sorted.length - 1L, Math.round(sorted.length * 0.99))],
                Arrays.stream(sorted).max().orElse(0));
    }

    /** Writes since then that say that something is still going on: all but the renewals of the lease. */
    List<String> since(Instant time) {
        return done.stream()
                .filter(write -> write.time().isAfter(time))
                .map(write -> write.request().verb() + " " + write.request().path())
                .filter(write -> !write.contains("/leases"))
                .toList();
    }

    long count(String pathPart) {
        return done.stream()
                .filter(write -> write.request().path().contains(pathPart))
                .count();
    }
}
