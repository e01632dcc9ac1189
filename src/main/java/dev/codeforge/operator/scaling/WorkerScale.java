package dev.codeforge.operator.scaling;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.pool.workers.WorkerPods;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.GenericKubernetesResourceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Sets the number of workers on the API server, and marks the workers that Kubernetes removes first. */
public final class WorkerScale {
    /** Kubernetes removes the pods of the lowest cost first. */
    static final String COST = "controller.kubernetes.io/pod-deletion-cost";

    private static final String LOWEST = Integer.toString(Integer.MIN_VALUE);
    private static final String SCALER = "codeforge-scaler";
    private static final ResourceDefinitionContext DEPLOYMENTS = new ResourceDefinitionContext.Builder()
            .withGroup("apps")
            .withVersion("v1")
            .withKind("Deployment")
            .withPlural("deployments")
            .withNamespaced(true)
            .build();

    private final KubernetesClient client;

    private record Sized(int replicas, long resourceVersion) {}

    /** The state kept for one pool's number of workers. */
    public static final class Memory {
        /** The number that was set last, for stale caches. */
        private Optional<Sized> sized = Optional.empty();

        /** The Deployment as the cache shows it, with the number that was set since. */
        public Deployment newest(Deployment cached) {
            return sized.filter(last -> version(cached.getMetadata().getResourceVersion()) < last.resourceVersion())
                    .map(last -> new DeploymentBuilder(cached)
                            .editMetadata()
                            // Kubernetes has not carried it out.
                            .withGeneration(cached.getMetadata().getGeneration() + 1)
                            .endMetadata()
                            .editSpec()
                            .withReplicas(last.replicas())
                            .endSpec()
                            .build())
                    .orElse(cached);
        }
    }

    public WorkerScale(KubernetesClient client) {
        this.client = client;
    }

    /** Whether the scaler owns the number of workers: then the Deployment is applied without one. */
    public static boolean owns(Deployment deployment) {
        return deployment.getMetadata().getManagedFields().stream()
                .anyMatch(entry -> SCALER.equals(entry.getManager()));
    }

    static boolean isMarked(Pod pod) {
        final Map<String, String> annotations = pod.getMetadata().getAnnotations();
        return annotations != null && LOWEST.equals(annotations.get(COST));
    }

    /** The workers with the mark, which Kubernetes removes first. */
    static List<Pod> marked(List<Pod> pods) {
        return WorkerPods.alive(pods).stream().filter(WorkerScale::isMarked).toList();
    }

    /**
     * Raises the number. The cache may be stale and show a lower number: a number computed from it would
     * remove workers, busy ones among them.
     *
     * @return false when there are more, or the Deployment is changing: reconcile again
     */
    public boolean raise(WorkerPool pool, Memory memory, int replicas) {
        final Deployment live = client.apps()
                .deployments()
                .inNamespace(pool.getMetadata().getNamespace())
                .withName(pool.workersName())
                .get();
        return live != null && live.getSpec().getReplicas() <= replicas && patchAsSeen(pool, memory, live, replicas);
    }

    /**
     * Lowers the number of the Deployment as it was seen.
     *
     * @return false when it has changed since: reconcile again
     */
    boolean lower(WorkerPool pool, Memory memory, Deployment seen, int replicas) {
        return patchAsSeen(pool, memory, seen, replicas);
    }

    private boolean patchAsSeen(WorkerPool pool, Memory memory, Deployment seen, int replicas) {
        try {
            final GenericKubernetesResource scaled =
                    patch(pool, replicas, seen.getMetadata().getResourceVersion());
            memory.sized =
                    Optional.of(new Sized(replicas, version(scaled.getMetadata().getResourceVersion())));
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
                return false;
            }
            throw e;
        }
    }

    private GenericKubernetesResource patch(WorkerPool pool, int replicas, String resourceVersion) {
        final GenericKubernetesResource scale = new GenericKubernetesResourceBuilder()
                .withApiVersion("autoscaling/v1")
                .withKind("Scale")
                .withNewMetadata()
                .withName(pool.workersName())
                .withNamespace(pool.getMetadata().getNamespace())
                .withResourceVersion(resourceVersion)
                .endMetadata()
                .addToAdditionalProperties("spec", Map.of("replicas", replicas))
                .build();
        return client.genericKubernetesResources(DEPLOYMENTS)
                .inNamespace(pool.getMetadata().getNamespace())
                .withName(pool.workersName())
                .subresource("scale")
                .patch(
                        new PatchContext.Builder()
                                .withPatchType(PatchType.SERVER_SIDE_APPLY)
                                .withFieldManager(SCALER)
                                .withForce(true)
                                .build(),
                        scale);
    }

    /** Versions of one kind of object are comparable; one that is not a number counts as newest. */
    private static long version(String resourceVersion) {
        try {
            return Long.parseLong(resourceVersion);
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    /** All in parallel: the workers are waiting. @return false when one of the pods is gone */
    boolean mark(List<Pod> pods) {
        try (ExecutorService all = Executors.newVirtualThreadPerTaskExecutor()) {
            final List<Future<Boolean>> marked = pods.stream()
                    .map(pod -> all.submit(() -> annotate(pod, "\"" + LOWEST + "\"")))
                    .toList();
            for (final Future<Boolean> one : marked) {
                if (!one.get()) {
                    return false;
                }
            }
            return true;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KubernetesClientException refused
                    ? refused
                    : new KubernetesClientException("a worker could not be marked", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    void unmark(Pod pod) {
        annotate(pod, "null");
    }

    /** @return false when the pod is gone */
    private boolean annotate(Pod pod, String cost) {
        try {
            client.pods()
                    .inNamespace(pod.getMetadata().getNamespace())
                    .withName(pod.getMetadata().getName())
                    .patch(
                            PatchContext.of(PatchType.JSON_MERGE),
                            "{\"metadata\":{\"annotations\":{\"" + COST + "\":" + cost + "}}}");
            return true;
        } catch (KubernetesClientException e) {
            if (e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
                return false;
            }
            throw e;
        }
    }
}
