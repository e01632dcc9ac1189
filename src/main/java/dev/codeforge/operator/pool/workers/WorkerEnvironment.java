package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.operator.tracing.TelemetrySettings;
import dev.codeforge.wire.Subjects;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/** The environment variables of a worker; the Python side reads them in settings.py. */
final class WorkerEnvironment {
    static final int PORT = 8080;
    static final String WORKER_PER_TASK = "CODEFORGE_WORKER_PER_TASK";
    /** Time between the worker's grace period and the pod's: the worker stops its agents and publishes that. */
    static final int STOP_SECONDS = 30;

    private WorkerEnvironment() {}

    /**
     * @param grace the pod's termination grace period in seconds
     * @param temporary folders that are the worker's alone, which it may empty
     * @param egressAllow hosts that agents may reach
     */
    static List<EnvVar> of(
            WorkerPool pool, String subject, long grace, List<String> temporary, List<String> egressAllow) {
        final WorkerPoolSpec spec = pool.getSpec();
        final String namespace = pool.getMetadata().getNamespace();
        final String name = pool.getMetadata().getName();
        final List<EnvVar> environment = new ArrayList<>();
        environment.add(variable("CODEFORGE_NAMESPACE", namespace));
        environment.add(variable("CODEFORGE_POOL", name));
        environment.add(variable("CODEFORGE_BACKEND", spec.backend()));
        environment.add(variable("CODEFORGE_STREAM", Subjects.poolStream(namespace, name)));
        environment.add(variable("CODEFORGE_CONSUMER", Subjects.WORKERS_DURABLE));
        environment.add(variable("CODEFORGE_SUBJECT", subject));
        environment.add(variable("CODEFORGE_CONCURRENCY", Integer.toString(spec.tasksPerWorker())));
        environment.add(variable(
                "CODEFORGE_ACK_WAIT_SECONDS", Integer.toString(spec.queue().heartbeatTimeoutSeconds())));
        environment.add(variable("CODEFORGE_GRACE_SECONDS", Long.toString(Math.max(0, grace - STOP_SECONDS))));
        if (spec.onEviction() != WorkerPoolSpec.OnEviction.Finish) {
            environment.add(variable("CODEFORGE_ON_EVICTION", spec.onEviction().name()));
        }
        environment.add(variable("CODEFORGE_WORKSPACE", "/workspace"));
        environment.add(variable("CODEFORGE_HTTP_PORT", Integer.toString(PORT)));
        environment.add(variable("CODEFORGE_ISOLATION", spec.isolation().agent().name()));
        environment.add(
                variable(WORKER_PER_TASK, spec.isolation().workerPerTask().toString()));
        environment.add(variable("CODEFORGE_TEMPORARY", String.join(":", temporary)));
        environment.add(variable("CODEFORGE_GIT_CREDENTIALS", GitMounts.variable(pool)));
        environment.add(
                variable("CODEFORGE_EGRESS", spec.isolation().egress().policy().name()));
        environment.add(variable("CODEFORGE_EGRESS_ALLOW", String.join(",", egressAllow)));
        environment.add(new EnvVarBuilder()
                .withName("CODEFORGE_POD_NAME")
                .withNewValueFrom()
                .withNewFieldRef()
                .withFieldPath("metadata.name")
                .endFieldRef()
                .endValueFrom()
                .build());
        return environment;
    }

    /** Settings for the worker's part of traces, in a stable order. */
    static List<EnvVar> of(WorkerPool pool, TelemetrySettings telemetry) {
        final List<EnvVar> environment = new ArrayList<>();
        new TreeMap<>(telemetry.forWorkers()).forEach((name, value) -> environment.add(variable(name, value)));
        new TreeSet<>(telemetry.secretsForWorkers().keySet())
                .forEach(name -> environment.add(secret(name, pool, name)));
        return environment;
    }

    static EnvVar variable(String name, String value) {
        return new EnvVarBuilder().withName(name).withValue(value).build();
    }

    static EnvVar secret(String name, WorkerPool pool, String key) {
        return new EnvVarBuilder()
                .withName(name)
                .withNewValueFrom()
                .withNewSecretKeyRef()
                .withName(pool.workersName())
                .withKey(key)
                .endSecretKeyRef()
                .endValueFrom()
                .build();
    }
}
