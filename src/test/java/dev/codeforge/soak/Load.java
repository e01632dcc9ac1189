package dev.codeforge.soak;

import dev.codeforge.api.AgentTask;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.nats.client.PublishOptions;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** Creates tasks at a steady rate. */
final class Load {
    private final Platform platform;
    private final Random random;
    private final Random ofRepositories;
    private final Later later;
    private final List<Task> tasks = new CopyOnWriteArrayList<>();

    /** @param ofRepositories a random of its own: without repositories a seed gives the tasks that it always gave */
    Load(Platform platform, Random random, Random ofRepositories) {
        this.platform = platform;
        this.random = random;
        this.ofRepositories = ofRepositories;
        this.later = new Later(platform, random);
    }

    List<Task> tasks() {
        return List.copyOf(tasks);
    }

    /**
     * Returns at the end, when all that was to be done later is done too. What an outage delayed is made up for.
     *
     * @param mayGoOn false while more tasks are under way than the machine can serve
     */
    void run(long count, double aSecond, BooleanSupplier mayGoOn) throws InterruptedException {
        final Instant begin = Instant.now();
        while (tasks.size() < count) {
            while (!mayGoOn.getAsBoolean()) {
                Patience.sleep(Duration.ofMillis(200));
            }
            final Instant due = begin.plusMillis(Math.round(tasks.size() * 1000 / aSecond));
            final Duration early = Duration.between(Instant.now(), due);
            if (early.isPositive()) {
                Patience.sleep(early);
            }
            submit(Kind.random(random, platform.remote.isPresent()), tasks.size());
        }
        later.await();
    }

    private void submit(Kind kind, int number) {
        final String name = kind.name().toLowerCase(Locale.ROOT).replace('_', '-') + "-" + number;
        // Long enough that a worker which is killed has one in hand.
        final double seconds = 0.2 + 2.8 * random.nextDouble();
        final String prompt = String.format(Locale.ROOT, "%s %.2f", kind.behaviour(), seconds);
        final String pool = Platform.ALL_POOLS.get(random.nextInt(Platform.ALL_POOLS.size()));
        switch (kind) {
            case OUTSIDE -> publish(name, prompt);
            case KEYED -> {
                final String workspace = workspace(name);
                create(kind, name + "-a", pool, prompt, name, workspace);
                create(kind, name + "-b", pool, prompt, name, workspace);
            }
            default -> create(kind, name, pool, prompt, kind.hasKey() ? name : "", workspace(name));
        }
    }

    private String workspace(String name) {
        return platform.remote
                .map(there -> there.workspace(RemoteCheck.branchOf(name, ""), ofRepositories))
                .orElse("");
    }

    private void create(Kind kind, String name, String pool, String prompt, String key, String workspace) {
        final String spec = spec(kind, pool, prompt, key, workspace);
        final AgentTask made = Patience.until("creating " + name, () -> {
            try {
                return Yaml.create(platform.client(), AgentTask.class, platform.namespace, name, spec);
            } catch (KubernetesClientException e) {
                if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                    // Its answer was lost.
                    return platform.client()
                            .resources(AgentTask.class)
                            .inNamespace(platform.namespace)
                            .withName(name)
                            .require();
                }
                throw e;
            }
        });
        tasks.add(new Task(made.uid(), name, kind, pool, key));
        later.plan(kind, name);
    }

    static String spec(Kind kind, String pool, String prompt, String key, String workspace) {
        return "workerPoolRef: {name: " + pool + "}\nprompt: \"" + prompt + "\"\n"
                + (key.isEmpty() ? "" : "idempotencyKey: " + key + "\n")
                + workspace
                + kind.spec(!workspace.isEmpty());
    }

    private void publish(String id, String prompt) {
        final byte[] body =
                "{\"task_id\":\"%s\",\"prompt\":\"%s\"}".formatted(id, prompt).getBytes(StandardCharsets.UTF_8);
        final PublishOptions once = PublishOptions.builder().messageId(id).build();
        Patience.until(
                "publishing " + id,
                () -> platform.connection.jetStream().publish(platform.subjectOf(Platform.OUTSIDE_POOL), body, once));
        tasks.add(new Task(id, id, Kind.OUTSIDE, Platform.OUTSIDE_POOL, ""));
    }
}
