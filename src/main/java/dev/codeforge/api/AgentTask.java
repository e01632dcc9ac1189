package dev.codeforge.api;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;
import java.util.Optional;

/** One coding task for an agent. The resource is the record of the task; the queue only holds work. */
@Group(Names.GROUP)
@Version(Names.VERSION)
@Kind("AgentTask")
@Singular("agenttask")
@Plural("agenttasks")
@ShortNames("at")
@AdditionalPrinterColumn(name = "Pool", jsonPath = ".spec.workerPoolRef.name")
@AdditionalPrinterColumn(name = "Phase", jsonPath = ".status.phase")
@AdditionalPrinterColumn(name = "Reason", jsonPath = ".status.conditions[?(@.type==\"Reconciling\")].reason")
@AdditionalPrinterColumn(name = "Attempts", jsonPath = ".status.attempts", type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "Pod", jsonPath = ".status.podName", priority = 1)
@AdditionalPrinterColumn(name = "Session", jsonPath = ".spec.session.name", priority = 1)
@AdditionalPrinterColumn(name = "Cost", jsonPath = ".status.usage.costUSD", priority = 1)
@AdditionalPrinterColumn(name = "Branch", jsonPath = ".status.result.git.branch", priority = 1)
@AdditionalPrinterColumn(name = "Commit", jsonPath = ".status.result.git.commit", priority = 1)
@AdditionalPrinterColumn(name = "Message", jsonPath = ".status.message", priority = 1)
public final class AgentTask extends CustomResource<AgentTaskSpec, AgentTaskStatus> implements Namespaced {

    /** The task's identity in every message: a name may be reused, a UID never is. */
    public String uid() {
        return getMetadata().getUid();
    }

    public Optional<AgentTaskStatus> observedStatus() {
        return Optional.ofNullable(getStatus());
    }

    /** The status, or one without any field before the first was written. */
    public AgentTaskStatus statusOrUnobserved() {
        return observedStatus().orElseGet(AgentTaskStatus::unobserved);
    }

    /** True once the outcome is written and no rerun is requested: such a task needs NATS no more. */
    @JsonIgnore
    public boolean isFinished() {
        return isTerminal() && !isRerunRequested();
    }

    /**
     * True if the operator may delete the ended task: a tool that recreates deleted resources does not make it run
     * again. A recreated task with the key adopts the recorded end, and a generated name is in no manifest.
     */
    public boolean mayExpire() {
        final String prefix = getMetadata().getGenerateName();
        return getSpec().idempotencyKey() != null || (prefix != null && !prefix.isEmpty());
    }

    @JsonIgnore
    public boolean isTerminal() {
        return observedStatus().filter(AgentTaskStatus::isTerminal).isPresent();
    }

    /** True while an ended task is to run again. The {@code rerun} at creation runs nothing. */
    @JsonIgnore
    public boolean isRerunRequested() {
        return observedStatus().filter(this::isRerunRequested).isPresent();
    }

    /** As {@link #isRerunRequested()}, for a status that is not stored yet. */
    public boolean isRerunRequested(AgentTaskStatus status) {
        return status.isTerminal()
                && !getSpec().cancel()
                && !getSpec().rerun().isEmpty()
                && !getSpec().rerun().equals(status.rerun());
    }
}
