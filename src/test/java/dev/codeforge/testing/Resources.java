package dev.codeforge.testing;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskSpec;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** Valid resources in one line. */
public final class Resources {
    private static final KubernetesSerialization JSON = new KubernetesSerialization();

    private Resources() {}

    public static AgentTask task(String namespace, String name, String pool) {
        final AgentTask task = new AgentTask();
        task.setMetadata(new ObjectMetaBuilder()
                .withNamespace(namespace)
                .withName(name)
                .withUid(UUID.randomUUID().toString())
                .withGeneration(1L)
                .withCreationTimestamp("2026-11-24T09:00:00Z")
                .build());
        task.setSpec(of(AgentTaskSpec.class, "{workerPoolRef: {name: " + pool + "}, prompt: say hello}"));
        return task;
    }

    /** A task with these fields besides, as YAML: {@code "retry: {maxAttempts: 3}"}. */
    public static AgentTask task(String namespace, String name, String pool, String fields) {
        final AgentTask task = task(namespace, name, pool);
        task.setSpec(
                of(AgentTaskSpec.class, "{workerPoolRef: {name: " + pool + "}, prompt: say hello, " + fields + "}"));
        return task;
    }

    /** A spec or a status as one writes it in YAML. */
    public static <T> T of(Class<T> type, String yaml) {
        // Text that begins with a brace would be taken for JSON.
        return Serialization.unmarshal("---\n" + yaml, type);
    }

    /** A spec with these fields, by their names: a further field of the record is no test's business. */
    public static WorkerPoolSpec poolSpec(Map<String, ?> fields) {
        return JSON.convertValue(fields, WorkerPoolSpec.class);
    }

    /** A pool whose subject is its own, so that tests do not meet each other's. */
    public static WorkerPool pool(String namespace, String name, WorkerPoolSpec.Scaling scaling) {
        return pool(namespace, name, "tasks." + namespace + "." + name, scaling, WorkerPoolSpec.DeletionPolicy.Drain);
    }

    public static WorkerPool pool(
            String namespace,
            String name,
            String subject,
            WorkerPoolSpec.Scaling scaling,
            WorkerPoolSpec.DeletionPolicy deletionPolicy) {
        final Map<String, Object> fields = new HashMap<>(Map.of(
                "backend",
                "command",
                "queue",
                Map.of("subject", subject, "heartbeatTimeoutSeconds", 5),
                "deletionPolicy",
                deletionPolicy));
        if (scaling != null) {
            fields.put("scaling", scaling);
        }
        final WorkerPool pool = new WorkerPool();
        pool.setMetadata(new ObjectMetaBuilder()
                .withNamespace(namespace)
                .withName(name)
                .withUid(UUID.randomUUID().toString())
                .withGeneration(1L)
                .build());
        pool.setSpec(poolSpec(fields));
        return pool;
    }
}
