package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.Names;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.network.Surroundings;
import dev.codeforge.operator.network.WorkerPolicy;
import dev.codeforge.operator.settings.WorkerDefaults;
import dev.codeforge.operator.time.RecheckTimer;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Keeps a pool's NetworkPolicy: applies a change at once, and repeats it each minute, as API servers may move. */
public final class PoolNetwork {
    private static final String OPERATOR = "codeforge-operator";
    private static final String MANAGED_BY = "app.kubernetes.io/managed-by";

    private final KubernetesClient client;
    private final WorkerDefaults defaults;
    private final String natsUrl;
    private final Clock clock;

    public PoolNetwork(KubernetesClient client, WorkerDefaults defaults, String natsUrl, Clock clock) {
        this.client = client;
        this.defaults = defaults;
        this.natsUrl = natsUrl;
        this.clock = clock;
    }

    /** @param workers the wanted Deployment: its environment names the servers that the workers need */
    public void keep(WorkerPool pool, Deployment workers, RecheckTimer<Deployment> rechecks) {
        if (!rechecks.isDue(workers, clock.instant())) {
            return;
        }
        if (defaults.networkPolicy()) {
            apply(policy(pool, workers));
        } else {
            ours(pool).ifPresent(policy -> named(pool).delete());
        }
        rechecks.seen(workers, clock.instant());
    }

    private NetworkPolicy policy(WorkerPool pool, Deployment workers) {
        return new NetworkPolicyBuilder()
                .withMetadata(metadata(pool).build())
                .withSpec(WorkerPolicy.of(
                        pool,
                        workers.getSpec().getTemplate().getSpec(),
                        defaults.egressAllow(pool.getSpec().isolation().egress()),
                        WorkerEnvironment.PORT,
                        Surroundings.of(natsUrl, apiServer())))
                .build();
    }

    /** Addresses of the API server's Service and of its endpoints: network engines match policies against either. */
    private List<String> apiServer() {
        final EndpointSlice behind = client.discovery()
                .v1()
                .endpointSlices()
                .inNamespace("default")
                .withName("kubernetes")
                .get();
        return Stream.concat(
                        Stream.of(client.getMasterUrl().getHost()),
                        behind == null
                                ? Stream.of()
                                : behind.getEndpoints().stream().flatMap(one -> one.getAddresses().stream()))
                .toList();
    }

    /** Busy workers keep the policy: they become its owners, and Kubernetes deletes it with the last of them. */
    public void remove(WorkerPool pool) {
        final Optional<NetworkPolicy> policy = ours(pool);
        if (policy.isEmpty()) {
            return;
        }
        final List<OwnerReference> left = client
                .pods()
                .inNamespace(pool.getMetadata().getNamespace())
                .withLabel(Names.POOL_LABEL, pool.getMetadata().getName())
                .list()
                .getItems()
                .stream()
                .map(PoolNetwork::owner)
                .toList();
        if (left.isEmpty()) {
            named(pool).delete();
        } else {
            apply(new NetworkPolicyBuilder()
                    .withMetadata(metadata(pool).withOwnerReferences(left).build())
                    .withSpec(policy.get().getSpec())
                    .build());
        }
    }

    /** Removes fields that were applied before and are not now, such as owners if a pool of the name is recreated. */
    private void apply(NetworkPolicy policy) {
        client.resource(policy).fieldManager(OPERATOR).forceConflicts().serverSideApply();
    }

    private static ObjectMetaBuilder metadata(WorkerPool pool) {
        return new ObjectMetaBuilder()
                .withName(pool.workersName())
                .withNamespace(pool.getMetadata().getNamespace())
                .withLabels(WorkerDeployment.labels(pool));
    }

    private static OwnerReference owner(Pod pod) {
        return new OwnerReferenceBuilder()
                .withApiVersion("v1")
                .withKind("Pod")
                .withName(pod.getMetadata().getName())
                .withUid(pod.getMetadata().getUid())
                .build();
    }

    /** The pool's policy; empty for a policy of that name that the operator did not create. */
    private Optional<NetworkPolicy> ours(WorkerPool pool) {
        return Optional.ofNullable(named(pool).get())
                .filter(policy -> policy.getMetadata().getLabels() != null
                        && OPERATOR.equals(policy.getMetadata().getLabels().get(MANAGED_BY)));
    }

    private Resource<NetworkPolicy> named(WorkerPool pool) {
        return client.network()
                .v1()
                .networkPolicies()
                .inNamespace(pool.getMetadata().getNamespace())
                .withName(pool.workersName());
    }
}
