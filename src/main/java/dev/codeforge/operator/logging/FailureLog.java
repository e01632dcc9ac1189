package dev.codeforge.operator.logging;

import dev.codeforge.operator.status.ReconcileError;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the log says of reconciles that fail, instead of the framework, which writes a stack trace for every try of every resource. An
 * outage is one line, and its end another; an error that stays is one line for each resource, with its stack trace. Each is in the
 * resource's condition as well.
 */
public final class FailureLog {
    private static final Logger LOG = LoggerFactory.getLogger(FailureLog.class);

    /** UIDs of the resources whose reconcile fails for now: one that cannot be helped is no outage that begins again and again. */
    private final Set<String> failing = new HashSet<>();

    /** @param failures those of this reconcile before this one */
    public synchronized void failed(String uid, ReconcileError why, Exception error, int failures) {
        if (why.passes()) {
            // The first tries of an outage, and those that somebody else's write has overtaken, are no news.
            if (why.isWorthSaying(failures) && failing.add(uid) && failing.size() == 1) {
                LOG.warn("reconciles fail, and are tried again until they succeed: {}", why.message());
            } else {
                LOG.debug("a reconcile fails: {}", why.message());
            }
        } else if (failures == 0) {
            LOG.warn("a reconcile fails: {}", why.message(), error);
        } else {
            LOG.debug("a reconcile fails again: {}", why.message());
        }
    }

    public synchronized void succeeded(String uid) {
        if (failing.remove(uid) && failing.isEmpty()) {
            LOG.info("reconciles succeed again");
        }
    }
}
