package dev.codeforge.testing.faults;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** Which requests meet which fault. */
final class Injections<R> {
    private final List<Rule<R>> rules = new CopyOnWriteArrayList<>();

    Injection at(int nth, int last, Predicate<R> which, Fault fault) {
        if (nth < 1) {
            throw new IllegalArgumentException("requests are counted from 1, not from " + nth);
        }
        final Rule<R> rule = new Rule<>(this, nth, last, which, fault);
        rules.add(rule);
        return rule;
    }

    /** Counts the request on each rule; the fault of the first rule whose turn it is. */
    Optional<Fault> next(R request) {
        Optional<Fault> due = Optional.empty();
        for (final Rule<R> rule : rules) {
            if (rule.which.test(request)) {
                final int count = rule.seen.incrementAndGet();
                if (due.isEmpty() && count >= rule.first && count <= rule.last) {
                    rule.hit.countDown();
                    due = Optional.of(rule.fault);
                }
            }
        }
        return due;
    }

    private static final class Rule<R> implements Injection {
        private final Injections<R> owner;
        private final int first;
        private final int last;
        private final Predicate<R> which;
        private final Fault fault;
        private final AtomicInteger seen = new AtomicInteger();
        private final CountDownLatch hit = new CountDownLatch(1);

        private Rule(Injections<R> owner, int first, int last, Predicate<R> which, Fault fault) {
            this.owner = owner;
            this.first = first;
            this.last = last;
            this.which = which;
            this.fault = fault;
        }

        @Override
        public int seen() {
            return seen.get();
        }

        @Override
        public void awaitHit(Duration patience) {
            try {
                if (!hit.await(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new AssertionError("the fault met nothing within " + patience + ": " + seen
                            + " requests of its kind came, number " + first + " was to be hit");
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException("interrupted", e);
            }
        }

        @Override
        public void close() {
            owner.rules.remove(this);
        }
    }
}
