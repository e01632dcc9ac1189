package dev.codeforge.operator.logging;

import dev.codeforge.operator.status.ReconcileError;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs failed reconciles instead of the framework, which writes a stack trace for every retry of every resource. An
 * outage is one line, and its end another. A permanent error is one line with a stack trace per resource. The
 * resource's condition has each error as well.
 */
public final class FailureLog {
    private static final Logger LOG = LoggerFactory.getLogger(FailureLog.class);

    /**
     * UIDs of resources that currently fail with a passing error. A permanent error is not included, because it would
     * start outages without end.
     */
    private final Set<String> failing = new HashSet<>();

    /** @param failures how often this reconcile has failed before */
    public synchronized void failed(String uid, ReconcileError why, Exception error, int failures) {
        if (why.passes()) {
            // The first failures of an outage, and conflicts with another writer, are not logged.
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
