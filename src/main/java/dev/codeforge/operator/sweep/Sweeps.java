package dev.codeforge.operator.sweep;

import dev.codeforge.jetstream.QueueUnavailableException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
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

    /** Far longer than the sweep of a thousand pools takes. */
    private static final Duration ALIVE = Duration.ofMinutes(30);

    private final List<Sweep> sweeps;
    private final Duration period;
    private final Timer rounds;
    private final Counter failures;
    private volatile long sweepSince = System.nanoTime();
    private volatile boolean started;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("sweep").daemon().factory());

    /** @param period from the end of one round to the start of the next */
    public Sweeps(List<Sweep> sweeps, Duration period, MeterRegistry registry) {
        this.sweeps = List.copyOf(sweeps);
        this.period = period;
        this.rounds = Timer.builder("codeforge.sweep")
                .description("How long a round of all sweeps took.")
                .register(registry);
        this.failures = Counter.builder("codeforge.sweep.failures")
                .description("Sweeps that failed, or were postponed because NATS did not answer.")
                .register(registry);
    }

    public void start() {
        sweepSince = System.nanoTime();
        started = true;
        timer.scheduleWithFixedDelay(this::run, period.toSeconds(), period.toSeconds(), TimeUnit.SECONDS);
    }

    private void run() {
        rounds.record(this::sweep);
    }

    private void sweep() {
        for (final Sweep sweep : sweeps) {
            sweepSince = System.nanoTime();
            try {
                sweep.run();
            } catch (QueueUnavailableException e) {
                failures.increment();
                LOG.debug("sweep postponed: {}", e.getMessage());
            } catch (RuntimeException e) {
                failures.increment();
                // A timer that throws is never called again.
                LOG.error("sweep failed, it is tried again in {}", period, e);
            }
        }
    }

    /** Whether one sweep after another comes to its end, or none was started. */
    public boolean isAlive() {
        return !started || System.nanoTime() - sweepSince < ALIVE.plus(period).toNanos();
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
