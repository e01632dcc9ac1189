package dev.codeforge.operator.task;

import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * Limits how many tasks are reconciled at the same time. Beyond that, each reconcile only waits longer for the same
 * cores.
 */
final class Permits {
    private final Semaphore left;

    Permits(int atOnce) {
        this.left = new Semaphore(atOnce);
    }

    /** Runs the work with a permit. */
    <T> T with(Supplier<T> work) {
        left.acquireUninterruptibly();
        try {
            return work.get();
        } finally {
            left.release();
        }
    }

    /** Waits for an answer without the permit that this thread holds, so that another reconcile can use it. */
    <T> T without(Supplier<T> wait) {
        left.release();
        try {
            return wait.get();
        } finally {
            left.acquireUninterruptibly();
        }
    }
}
