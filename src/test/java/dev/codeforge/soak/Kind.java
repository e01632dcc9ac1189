package dev.codeforge.soak;

import dev.codeforge.api.Phase;
import java.util.Random;
import java.util.Set;

/** What a task is made to go through, and how it may end. */
enum Kind {
    PLAIN(30, "work", "", 1, Set.of(Phase.Succeeded)),
    FAILING(6, "fail", "retry: {maxAttempts: 2, backoffSeconds: 1}", 2, Set.of(Phase.Failed), "CommandFailed"),
    /** Fails in its first attempt only. */
    FLAKY(10, "flaky", "retry: {maxAttempts: 3, backoffSeconds: 1, maxBackoffSeconds: 2}", 2, Set.of(Phase.Succeeded)),
    AT_MOST_ONCE(8, "work", "delivery: AtMostOnce", 1, Set.of(Phase.Succeeded, Phase.Failed), "MayHaveRun"),
    RESET(5, "work", "delivery: ResetThenRetry", 1, Set.of(Phase.Succeeded)),
    /** Two resources with one idempotency key: one of them is run, both end alike. */
    KEYED(5, "work", "", 0, Set.of(Phase.Succeeded)),
    /** A fault may have failed its attempt before the cancel: no other follows. */
    CANCELLED(7, "work", "", 0, Set.of(Phase.Cancelled, Phase.Succeeded, Phase.Failed)),
    /** Suspended shortly after its creation and resumed a little later. */
    SUSPENDED(7, "work", "", 0, Set.of(Phase.Succeeded)),
    /** Run once more after its end. */
    RERUN(5, "work", "", 2, Set.of(Phase.Succeeded)),
    /** Gone soon after its end; it must have a key, which no other has. */
    SHORT_LIVED(6, "work", "ttlSecondsAfterFinished: 3", 0, Set.of()),
    /** Deleted shortly after its creation: while queued, running or done. */
    DELETED(8, "work", "", 0, Set.of()),
    /** A message of a producer that knows no Kubernetes. */
    OUTSIDE(8, "work", "", 0, Set.of()),
    /** Leaves the locks of a git that was killed in its repository. */
    LOCKING(0, "lock", "", 1, Set.of(Phase.Succeeded));

    private static final int LOCKING_SHARE = 10;
    /** A full disk, or a killed agent, costs an attempt and not the task. */
    private static final String AGAIN =
            "retry: {maxAttempts: 10, backoffSeconds: 1, maxBackoffSeconds: 3, retryable: [OutOfDisk]}";

    /** Share of all tasks, against the sum of all shares. */
    private final int share;

    private final String behaviour;
    private final String spec;
    private final int attempts;
    private final Set<Phase> ends;
    private final Set<String> failures;

    Kind(int share, String behaviour, String spec, int attempts, Set<Phase> ends, String... failures) {
        this.share = share;
        this.behaviour = behaviour;
        this.spec = spec;
        this.attempts = attempts;
        this.ends = ends;
        this.failures = Set.of(failures);
    }

    /** @param inRepository whether the tasks have one */
    static Kind random(Random random, boolean inRepository) {
        int total = 0;
        for (final Kind kind : values()) {
            total += kind.share(inRepository);
        }
        int at = random.nextInt(total);
        for (final Kind kind : values()) {
            at -= kind.share(inRepository);
            if (at < 0) {
                return kind;
            }
        }
        throw new IllegalStateException("the shares do not add up");
    }

    private int share(boolean inRepository) {
        return switch (this) {
            case LOCKING -> inRepository ? LOCKING_SHARE : 0;
            case OUTSIDE -> inRepository ? 0 : share;
            default -> share;
        };
    }

    /** What the agent's script is told to do. */
    String behaviour() {
        return behaviour;
    }

    /** Further fields of the task's spec as YAML, or empty. */
    String spec(boolean inRepository) {
        if (!inRepository || this == AT_MOST_ONCE) {
            return spec;
        }
        return switch (this) {
            case FAILING -> "retry: {maxAttempts: 2, backoffSeconds: 1, retryable: [OutOfDisk]}";
            case FLAKY -> AGAIN;
            default -> spec.isEmpty() ? AGAIN : spec + "\n" + AGAIN;
        };
    }

    /** Attempts that it needs; 0 when that depends on what happens first. */
    int attempts() {
        return attempts;
    }

    /** Phases that are a right end; empty when the resource is to be gone or there is none. */
    Set<Phase> ends() {
        return ends;
    }

    /** Types of the failures that are a right end. */
    Set<String> failures() {
        return failures;
    }

    boolean isResource() {
        return this != OUTSIDE;
    }

    boolean hasKey() {
        return this == KEYED || this == SHORT_LIVED;
    }

    boolean isToBeGone() {
        return this == SHORT_LIVED || this == DELETED;
    }
}
