package dev.codeforge.operator.sweep;

import dev.codeforge.jetstream.QueueUnavailableException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs each sweep every half minute. */
public final class Sweeps implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeps.class);
    private static final Duration PERIOD = Duration.ofSeconds(30);

    private final List<Sweep> sweeps;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("sweep").daemon().factory());

    public Sweeps(List<Sweep> sweeps) {
        this.sweeps = List.copyOf(sweeps);
    }

    public void start() {
        timer.scheduleWithFixedDelay(this::run, PERIOD.toSeconds(), PERIOD.toSeconds(), TimeUnit.SECONDS);
    }

    private void run() {
        for (final Sweep sweep : sweeps) {
            try {
                sweep.run();
            } catch (QueueUnavailableException e) {
                LOG.debug("sweep postponed: {}", e.getMessage());
            } catch (RuntimeException e) {
                // A timer that throws is never called again.
                LOG.error("sweep failed, it is tried again in {}", PERIOD, e);
            }
        }
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
