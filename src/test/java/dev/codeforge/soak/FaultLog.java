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

    /**
     * @param target process, link or stream
     * @param isLossOfWorker whether tasks of this worker may rightly be run by another
     */
    record Entry(String fault, String target, boolean isLossOfWorker, Instant from, Instant to) {
        /** Whether it explains that a run which began then was begun again later. */
        boolean explains(Ledger.Run lost, Ledger.Run again) {
            return isLossOfWorker
                    && target.equals(lost.worker())
                    && !from.isAfter(again.start())
                    && !to.isBefore(lost.start());
        }
    }

    /** Notes the end of a worker that nobody had killed. */
    void ownEnd(String worker) {
        ownEnds.add(new Entry("worker ended by itself", worker, true, Instant.now(), Instant.now()));
    }

    /** Does it and notes it; printed as it begins, so that a hang has a name. */
    void run(String fault, String target, boolean isLossOfWorker, Runnable action) {
        System.out.printf(
                "  %5d s  %s: %s%n", Duration.between(begin, Instant.now()).toSeconds(), fault, target);
        final Instant from = Instant.now();
        action.run();
        entries.add(new Entry(fault, target, isLossOfWorker, from, Instant.now()));
    }

    /** Those that were injected. */
    List<Entry> entries() {
        return List.copyOf(entries);
    }

    List<Entry> ownEnds() {
        return List.copyOf(ownEnds);
    }
}
