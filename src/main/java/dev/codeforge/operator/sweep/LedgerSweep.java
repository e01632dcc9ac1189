package dev.codeforge.operator.sweep;

import dev.codeforge.api.AgentTask;
import dev.codeforge.operator.index.TaskIndex;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Reads the ledger's entry of each task with an idempotency key once a day, a few of them in each sweep, so that the
 * key of an existing task never expires. The order is random: an operator that restarts often reaches all of them.
 */
public final class LedgerSweep implements Sweep {
    static final Duration BETWEEN = Duration.ofDays(1);
    /** With a sweep each 30 s, 57,600 a day. */
    static final int AT_ONCE = 20;

    private final TaskIndex tasks;
    private final Consumer<AgentTask> renew;
    private final Clock clock;
    private final Random random;
    private final Map<String, Instant> seen = new HashMap<>();

    /** @param renew reads the entry and writes it if that is due; throws when NATS is away */
    public LedgerSweep(TaskIndex tasks, Consumer<AgentTask> renew, Clock clock, Random random) {
        this.tasks = tasks;
        this.renew = renew;
        this.clock = clock;
        this.random = random;
    }

    @Override
    public void run() {
        final Instant now = clock.instant();
        final List<AgentTask> withKey = tasks.withKey();
        seen.keySet().retainAll(withKey.stream().map(AgentTask::uid).collect(Collectors.toSet()));
        final List<AgentTask> due = new ArrayList<>(withKey.stream()
                .filter(task -> !seen.getOrDefault(task.uid(), Instant.MIN).isAfter(now.minus(BETWEEN)))
                .toList());
        Collections.shuffle(due, random);
        due.stream().limit(AT_ONCE).forEach(task -> {
            // Recorded before the read: an entry that cannot be read must not keep the sweep from the others.
            seen.put(task.uid(), now);
            renew.accept(task);
        });
    }
}
