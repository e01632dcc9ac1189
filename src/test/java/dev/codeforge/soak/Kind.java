package dev.codeforge.soak;

import dev.codeforge.api.Phase;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;

/** What a task is made to go through, and how it may end. */
enum Kind {
    PLAIN(30, "work", "", EnumSet.of(Phase.Succeeded)),
    FAILING(6, "fail", "", EnumSet.of(Phase.Failed)),
    /** Deleted shortly after its creation: while queued, running or done. */
    DELETED(8, "work", "", EnumSet.noneOf(Phase.class)),
    /** A message of a producer that knows no Kubernetes. */
    OUTSIDE(8, "work", "", EnumSet.noneOf(Phase.class));

    /** Share of all tasks, against the sum of all shares. */
    private final int share;

    private final String behaviour;
    private final String spec;
    private final Set<Phase> ends;

    Kind(int share, String behaviour, String spec, Set<Phase> ends) {
        this.share = share;
        this.behaviour = behaviour;
        this.spec = spec;
        this.ends = ends;
    }

    static Kind random(Random random) {
        int total = 0;
        for (final Kind kind : values()) {
            total += kind.share;
        }
        int at = random.nextInt(total);
        for (final Kind kind : values()) {
            at -= kind.share;
            if (at < 0) {
                return kind;
            }
        }
        throw new IllegalStateException("the shares do not add up");
    }

    /** What the agent's script is told to do. */
    String behaviour() {
        return behaviour;
    }

    /** Further fields of the task's spec as YAML, or empty. */
    String spec() {
        return spec;
    }

    /** Phases that are a right end; empty when the resource is to be gone or there is none. */
    Set<Phase> ends() {
        return ends;
    }

    boolean isResource() {
        return this != OUTSIDE;
    }
}
