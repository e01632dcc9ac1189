package dev.codeforge.soak;

import dev.codeforge.api.AgentTask;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Creates tasks at a steady rate, and does to some of them later what their kind says. */
final class Load {
    private static final Duration DRAIN = Duration.ofMinutes(3);

    private final Platform platform;
    private final KubernetesClient client;
    private final Random random;
    private final List<Task> tasks = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService later = Executors.newScheduledThreadPool(4);

    Load(Platform platform, Random random) {
        this.platform = platform;
        this.client = platform.client();
        this.random = random;
    }

    List<Task> tasks() {
        return List.copyOf(tasks);
    }

    /** Returns at the end, when all that was to be done later is done too. What an outage delayed is made up for. */
    void run(Duration time, double aSecond) throws InterruptedException {
        final Instant begin = Instant.now();
        final long count = Math.round(time.toMillis() / 1000.0 * aSecond);
        for (long i = 0; i < count; i++) {
            final Duration due = Duration.ofMillis(Math.round(i * 1000 / aSecond));
            final Duration early = Duration.between(Instant.now(), begin.plus(due));
            if (early.isPositive()) {
                Patience.sleep(early);
            }
            submit(Kind.random(random), i);
        }
        later.shutdown();
        if (!later.awaitTermination(DRAIN.toSeconds(), TimeUnit.SECONDS)) {
            throw new IllegalStateException("the API server was not reached for " + DRAIN);
        }
    }

    private void submit(Kind kind, long number) {
        final String name = kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-') + "-" + number;
        // Most runs are short; one of ten is long enough to be met by a fault.
        final double seconds = random.nextInt(10) == 0 ? 1 + 2 * random.nextDouble() : 0.2 + 0.6 * random.nextDouble();
        final String prompt = "%s %.2f".formatted(kind.behaviour(), seconds);
        if (kind.isResource()) {
            final List<String> pools = new ArrayList<>(Platform.POOLS);
            pools.add(Platform.OUTSIDE_POOL);
            final String pool = pools.get(random.nextInt(pools.size()));
            final AgentTask made = create(kind, name, pool, prompt);
            tasks.add(new Task(made.uid(), name, kind, pool));
            doLater(kind, name);
        } else {
            publish(name, prompt);
            tasks.add(new Task(name, name, kind, Platform.OUTSIDE_POOL));
        }
    }

    private AgentTask create(Kind kind, String name, String pool, String prompt) {
        return Patience.until("creating " + name, () -> {
            try {
                return Yaml.create(
                        client,
                        AgentTask.class,
                        platform.namespace,
                        name,
                        """
                        workerPoolRef: {name: %s}
                        prompt: "%s"
                        """
                                        .formatted(pool, prompt)
                                + kind.spec());
            } catch (KubernetesClientException e) {
                if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                    // Its answer was lost.
                    return client.resources(AgentTask.class)
                            .inNamespace(platform.namespace)
                            .withName(name)
                            .require();
                }
                throw e;
            }
        });
    }

    private void publish(String id, String prompt) {
        final byte[] body =
                "{\"task_id\":\"%s\",\"prompt\":\"%s\"}".formatted(id, prompt).getBytes(StandardCharsets.UTF_8);
        final io.nats.client.PublishOptions once =
                io.nats.client.PublishOptions.builder().messageId(id).build();
        Patience.until(
                "publishing " + id,
                () -> platform.connection.jetStream().publish(Platform.subjectOf(Platform.OUTSIDE_POOL), body, once));
    }

    private void doLater(Kind kind, String name) {
        final long soon = random.nextInt(2500);
        switch (kind) {
            case DELETED -> after(soon, "deleting " + name, () -> tasksOf(name).delete());
            case PLAIN, FAILING, OUTSIDE -> {}
        }
    }

    private io.fabric8.kubernetes.client.dsl.Resource<AgentTask> tasksOf(String name) {
        return client.resources(AgentTask.class).inNamespace(platform.namespace).withName(name);
    }

    private void after(long millis, String what, java.util.concurrent.Callable<Object> call) {
        later.schedule(() -> Patience.until(what, call), millis, TimeUnit.MILLISECONDS);
    }
}
