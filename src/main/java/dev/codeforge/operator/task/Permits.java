package dev.codeforge.operator.task;

import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/** How many tasks are reconciled at the same time: with more, each of them only waits longer for the same cores. */
final class Permits {
    private final Semaphore left;

    Permits(int atOnce) {
        this.left = new Semaphore(atOnce);
    }

    /** Returns when it has a permit and the work is done. */
    <T> T with(Supplier<T> work) {
        left.acquireUninterruptibly();
        try {
            return work.get();
        } finally {
            left.release();
        }
    }

    /** A wait for somebody's answer, by a thread that has a permit: others have it meanwhile. */
    <T> T without(Supplier<T> wait) {
        left.release();
        try {
            return wait.get();
        } finally {
            left.acquireUninterruptibly();
        }
    }
}
