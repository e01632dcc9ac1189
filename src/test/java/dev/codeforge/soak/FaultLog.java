package dev.codeforge.soak;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What was done to whom, and when. */
final class FaultLog {
    private final List<Entry> entries = new CopyOnWriteArrayList<>();
    private final List<Entry> ownEnds = new CopyOnWriteArrayList<>();
    private final Instant begin = Instant.now();

    /** What a fault may rightly lead to. */
    enum Effect {
        NOTHING,
        /** Tasks of the worker are run by another. */
        WORKER_LOST,
        /** Attempts on the worker fail, and are retried where their task says so. */
        RUNS_FAIL
    }

    /** @param target process, link, stream, or the place of one worker after the other */
    record Entry(String fault, String target, Effect effect, Instant from, Instant to) {
        private boolean isOf(String worker) {
            return worker.equals(target) || worker.startsWith(target + "-");
        }

        /** Whether it explains that a run which began then was begun again later. */
        boolean explains(Ledger.Run lost, Ledger.Run again) {
            return effect == Effect.WORKER_LOST
                    && target.equals(lost.worker())
                    && !from.isAfter(again.start())
                    && !to.isBefore(lost.start());
        }
    }

    /** Notes the end of a worker that nobody had killed. */
    void ownEnd(String worker) {
        ownEnds.add(new Entry("worker ended by itself", worker, Effect.WORKER_LOST, Instant.now(), Instant.now()));
    }

    /** Does it and notes it; printed as it begins, so that a hang has a name. */
    void run(String fault, String target, Effect effect, Runnable action) {
        System.out.printf(
                "  %5d s  %s: %s%n", Duration.between(begin, Instant.now()).toSeconds(), fault, target);
        final Instant from = Instant.now();
        action.run();
        entries.add(new Entry(fault, target, effect, from, Instant.now()));
    }

    /** Whether an attempt on this worker may have failed for what was done to it. */
    boolean explainsFailure(String worker, Instant start, Instant end) {
        return entries.stream()
                .filter(entry -> entry.effect() == Effect.RUNS_FAIL && entry.isOf(worker))
                .anyMatch(entry -> !entry.from().isAfter(end) && !entry.to().isBefore(start));
    }

    /** Those that were injected. */
    List<Entry> entries() {
        return List.copyOf(entries);
    }

    List<Entry> ownEnds() {
        return List.copyOf(ownEnds);
    }
}
