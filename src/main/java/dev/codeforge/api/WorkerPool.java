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

/** A queue and the workers that serve it. */
@Group(Names.GROUP)
@Version(Names.VERSION)
@Kind("WorkerPool")
@Singular("workerpool")
@Plural("workerpools")
@ShortNames("wpool")
@AdditionalPrinterColumn(name = "Backend", jsonPath = ".spec.backend")
@AdditionalPrinterColumn(name = "Replicas", jsonPath = ".status.replicas", type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Max",
        jsonPath = ".spec.scaling.maxReplicas",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Waiting",
        jsonPath = ".status.queue.waiting",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
        name = "Running",
        jsonPath = ".status.queue.running",
        type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(name = "Ready", jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "Reason", jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason")
@AdditionalPrinterColumn(
        name = "Age",
        jsonPath = ".metadata.creationTimestamp",
        type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(
        name = "Dead Letters",
        jsonPath = ".status.deadLetters",
        type = AdditionalPrinterColumn.Type.INTEGER,
        priority = 1)
@AdditionalPrinterColumn(name = "Scaling", jsonPath = ".status.scaling.reason", priority = 1)
@AdditionalPrinterColumn(name = "Message", jsonPath = ".status.conditions[?(@.type==\"Ready\")].message", priority = 1)
public final class WorkerPool extends CustomResource<WorkerPoolSpec, WorkerPoolStatus> implements Namespaced {

    public Optional<WorkerPoolStatus> observedStatus() {
        return Optional.ofNullable(getStatus());
    }

    @JsonIgnore
    public boolean isTerminating() {
        return getMetadata().getDeletionTimestamp() != null;
    }

    /** Name of the Deployment, and of the Secret with the workers' credential. */
    public String workersName() {
        return getMetadata().getName() + "-workers";
    }
}
