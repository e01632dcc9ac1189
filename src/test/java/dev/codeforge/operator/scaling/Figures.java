package dev.codeforge.operator.scaling;

import dev.codeforge.operator.scaling.SimulatedOperator.Look;
import dev.codeforge.operator.scaling.SimulatedOperator.Scale;
import dev.codeforge.operator.scaling.SimulatedQueue.Message;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * What is read off a simulated pool, in milliseconds.
 *
 * @param decided from each publish to the decision that knows of it; its replicas are written at once
 * @param started from each publish to the first start
 * @param reversals changes of the replicas against the direction of the one before, within the window
 */
record Figures(
        Spread decided,
        Spread started,
        long makespan,
        int most,
        Duration podTime,
        Duration idleTime,
        int busyKills,
        int redeliveries,
        int reversals) {

    record Spread(long p50, long p95, long max) {
        static Spread of(List<Long> values) {
            final List<Long> sorted = values.stream().sorted().toList();
            return new Spread(
                    sorted.get((sorted.size() - 1) / 2),
                    sorted.get((int) Math.ceil(0.95 * sorted.size()) - 1),
                    sorted.getLast());
        }
    }

    static Figures of(Simulation.Outcome outcome, Duration window) {
        final List<Message> messages = outcome.messages();
        final long first = messages.getFirst().published;
        return new Figures(
                Spread.of(messages.stream()
                        .map(message -> decision(outcome.looks(), message.published) - message.published)
                        .toList()),
                Spread.of(messages.stream()
                        .map(message -> message.firstStart.orElseThrow() - message.published)
                        .toList()),
                messages.stream()
                                .mapToLong(message -> message.ended.orElseThrow())
                                .max()
                                .orElseThrow()
                        - first,
                outcome.scales().stream().mapToInt(Scale::to).max().orElse(0),
                outcome.podTime(),
                outcome.idleTime(),
                outcome.busyKills(),
                messages.stream().mapToInt(message -> message.deliveries - 1).sum(),
                reversals(outcome.scales(), window));
    }

    private static long decision(List<Look> looks, long published) {
        return looks.stream()
                .filter(look -> look.at() >= published && look.sample().isPresent())
                .mapToLong(Look::at)
                .findFirst()
                .orElseThrow();
    }

    static int reversals(List<Scale> scales, Duration window) {
        int count = 0;
        for (int i = 1; i < scales.size(); i++) {
            final Scale before = scales.get(i - 1);
            final Scale after = scales.get(i);
            final boolean turned = (before.to() > before.from()) != (after.to() > after.from());
            count += turned && after.at() - before.at() < window.toMillis() ? 1 : 0;
        }
        return count;
    }

    static String header() {
        return "%-34s %20s %26s %9s %5s %8s %8s %6s %6s %6s"
                .formatted(
                        "load (p50/p95/max)",
                        "publish→replicas ms",
                        "publish→start s",
                        "makespan",
                        "most",
                        "pod-s",
                        "idle-s",
                        "kills",
                        "redel.",
                        "turns");
    }

    String row(String name) {
        return String.format(
                Locale.ROOT,
                "%-34s %20s %26s %9.1f %5d %8d %8d %6d %6d %6d",
                name,
                decided.p50 + "/" + decided.p95 + "/" + decided.max,
                String.format(Locale.ROOT, "%.1f/%.1f/%.1f", started.p50 / 1e3, started.p95 / 1e3, started.max / 1e3),
                makespan / 1e3,
                most,
                podTime.toSeconds(),
                idleTime.toSeconds(),
                busyKills,
                redeliveries,
                reversals);
    }
}
