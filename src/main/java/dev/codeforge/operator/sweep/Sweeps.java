package dev.codeforge.operator.sweep;

import dev.codeforge.jetstream.QueueUnavailableException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs all sweeps, again and again. */
public final class Sweeps implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeps.class);

    private final List<Sweep> sweeps;
    private final Duration period;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("sweep").daemon().factory());

    /** @param period from the end of one round to the start of the next */
    public Sweeps(List<Sweep> sweeps, Duration period) {
        this.sweeps = List.copyOf(sweeps);
        this.period = period;
    }

    public void start() {
        timer.scheduleWithFixedDelay(this::run, period.toSeconds(), period.toSeconds(), TimeUnit.SECONDS);
    }

    private void run() {
        for (final Sweep sweep : sweeps) {
            try {
                sweep.run();
            } catch (QueueUnavailableException e) {
                LOG.debug("sweep postponed: {}", e.getMessage());
            } catch (RuntimeException e) {
                // A timer that throws is never called again.
                LOG.error("sweep failed, it is tried again in {}", period, e);
            }
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
