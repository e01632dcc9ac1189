package dev.codeforge.operator.pool.workers;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Annotations that keep autoscalers from removing a pod while it runs a task. */
public final class EvictionShield {
    private static final Logger LOG = LoggerFactory.getLogger(EvictionShield.class);
    /** The annotations of the Cluster Autoscaler and of Karpenter. */
    private static final Map<String, String> SHIELD = Map.of(
            "cluster-autoscaler.kubernetes.io/safe-to-evict", "false",
            "karpenter.sh/do-not-disrupt", "true");

    private static final ObjectMapper JSON = new ObjectMapper();

    private final KubernetesClient client;

    public EvictionShield(KubernetesClient client) {
        this.client = client;
    }

    /** The annotations to change on a pod; an empty value removes an annotation. */
    record Change(Pod pod, Map<String, Optional<String>> annotations) {}

    /**
     * The pods to change. An annotation that the template sets stays as it is.
     *
     * @param busy names of the pods in which tasks run
     */
    public static List<Change> changes(List<Pod> pods, Set<String> busy, Optional<Deployment> workers) {
        final Set<String> given = workers.map(found ->
                        annotations(found.getSpec().getTemplate().getMetadata().getAnnotations()))
                .map(Map::keySet)
                .orElse(Set.of());
        return WorkerPods.alive(pods).stream()
                .map(pod -> change(pod, busy.contains(pod.getMetadata().getName()), given))
                .filter(change -> !change.annotations().isEmpty())
                .toList();
    }

    private static Change change(Pod pod, boolean isBusy, Set<String> given) {
        final Map<String, String> has = annotations(pod.getMetadata().getAnnotations());
        return new Change(
                pod,
                SHIELD.entrySet().stream()
                        .filter(shield -> !given.contains(shield.getKey()))
                        .filter(shield -> isBusy != shield.getValue().equals(has.get(shield.getKey())))
                        .collect(Collectors.toMap(
                                Map.Entry::getKey,
                                shield -> isBusy ? Optional.of(shield.getValue()) : Optional.empty(),
                                (first, second) -> first,
                                TreeMap::new)));
    }

    private static Map<String, String> annotations(Map<String, String> annotations) {
        return annotations == null ? Map.of() : annotations;
    }

    /** Patches all pods in parallel. A refused patch is logged and repeated at the next reconcile; this one goes on. */
    public void carryOut(List<Change> changes) {
        if (changes.isEmpty()) {
            return;
        }
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            changes.forEach(change -> all.submit(() -> carryOut(change)));
        }
    }

    private void carryOut(Change change) {
        final ObjectNode annotations = JSON.createObjectNode();
        change.annotations().forEach((key, value) -> annotations.put(key, value.orElse(null)));
        final ObjectNode patch = JSON.createObjectNode();
        patch.putObject("metadata").set("annotations", annotations);
        final String namespace = change.pod().getMetadata().getNamespace();
        final String name = change.pod().getMetadata().getName();
        try {
            client.pods()
                    .inNamespace(namespace)
                    .withName(name)
                    .patch(PatchContext.of(PatchType.JSON_MERGE), patch.toString());
        } catch (KubernetesClientException e) {
            if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
                LOG.warn("pod {}/{} could not be annotated, tried again: {}", namespace, name, e.getMessage());
            }
        }
    }
}
