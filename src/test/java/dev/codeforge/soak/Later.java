package dev.codeforge.soak;

import dev.codeforge.api.AgentTask;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** What people do to a task after they created it, each thing as soon as the API server takes it. */
final class Later {
    private static final int SOON_MILLIS = 2500;
    private static final Duration DRAIN = Duration.ofMinutes(7);

    private final Platform platform;
    private final Random random;
    private final List<String> failures = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(4);

    Later(Platform platform, Random random) {
        this.platform = platform;
        this.random = random;
    }

    void plan(Kind kind, String name) {
        final long soon = random.nextInt(SOON_MILLIS);
        final long thereafter = 500 + random.nextInt(SOON_MILLIS);
        switch (kind) {
            case DELETED -> after(soon, "deleting " + name, () -> task(name).delete());
            case CANCELLED -> after(soon, "cancelling " + name, () -> patch(name, "\"cancel\":true"));
            case RERUN ->
                after(soon, "running " + name + " again", () -> {
                    // What it is at first sight counts as done.
                    if (task(name).require().getStatus().observedGeneration() < 0) {
                        throw new IllegalStateException(name + " was not looked at yet");
                    }
                    patch(name, "\"rerun\":\"1\"");
                });
            case SUSPENDED ->
                after(soon, "suspending " + name, () -> {
                    patch(name, "\"suspend\":true");
                    after(thereafter, "resuming " + name, () -> patch(name, "\"suspend\":false"));
                });
            case PLAIN, FAILING, FLAKY, AT_MOST_ONCE, RESET, KEYED, SHORT_LIVED, OUTSIDE, LOCKING -> {}
        }
    }

    private Resource<AgentTask> task(String name) {
        return platform.client()
                .resources(AgentTask.class)
                .inNamespace(platform.namespace)
                .withName(name);
    }

    private void patch(String name, String field) {
        task(name).patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{" + field + "}}");
    }

    private void after(long millis, String what, Runnable action) {
        timer.schedule(
                () -> {
                    try {
                        Patience.until(what, () -> {
                            action.run();
                            return true;
                        });
                    } catch (RuntimeException e) {
                        failures.add(e.getMessage() + ": " + e.getCause().getMessage());
                    }
                },
                millis,
                TimeUnit.MILLISECONDS);
    }

    /** Returns when all is done. */
    void await() throws InterruptedException {
        // What was planned goes on to be done, and so does what it plans.
        Patience.sleep(Duration.ofMillis(2L * SOON_MILLIS + 1000));
        timer.shutdown();
        if (!timer.awaitTermination(DRAIN.toSeconds(), TimeUnit.SECONDS) || !failures.isEmpty()) {
            throw new IllegalStateException("tasks were not treated as planned: the result says nothing: " + failures);
        }
    }
}
