package dev.codeforge.operator.logging;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.wire.TraceIds;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.MDC;

/** Adds fields to each line that this thread logs until closed: the resource of the reconcile. */
public final class LogFields implements AutoCloseable {
    private final Map<String, String> fields;

    private LogFields(Map<String, String> fields) {
        this.fields = fields;
        fields.forEach(MDC::put);
    }

    public static LogFields of(AgentTask task) {
        final String name = task.getMetadata().getName();
        final Map<String, String> fields = about(task.getMetadata().getNamespace(), name);
        fields.put("pool", task.getSpec().workerPoolRef().name());
        fields.put("task", name);
        fields.put(
                "attempt",
                Integer.toString(task.observedStatus()
                        .map(AgentTaskStatus::currentAttempt)
                        .orElse(1)));
        fields.put("trace_id", TraceIds.trace(task.uid()));
        return new LogFields(fields);
    }

    public static LogFields of(WorkerPool pool) {
        final String name = pool.getMetadata().getName();
        final Map<String, String> fields = about(pool.getMetadata().getNamespace(), name);
        fields.put("pool", name);
        return new LogFields(fields);
    }

    /** The plain format prints these two fields. */
    private static Map<String, String> about(String namespace, String name) {
        final Map<String, String> fields = new LinkedHashMap<>();
        fields.put("namespace", namespace);
        fields.put("subject", name);
        return fields;
    }

    @Override
    public void close() {
        fields.keySet().forEach(MDC::remove);
    }
}
