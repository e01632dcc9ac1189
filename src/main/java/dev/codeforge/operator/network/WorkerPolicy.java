package dev.codeforge.operator.network;

import dev.codeforge.api.Names;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyEgressRule;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyEgressRuleBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyIngressRuleBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeer;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeerBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPortBuilder;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicySpec;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicySpecBuilder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The connections to and from a pool's workers. The policy covers the whole pod, including the worker's clones and its
 * connection to NATS, so it allows more than one agent may reach.
 */
public final class WorkerPolicy {
    private static final String NAMESPACE = "kubernetes.io/metadata.name";
    private static final int[] DNS = {53, 5353};
    private static final int[] PUBLIC = {22, 443};

    private final WorkerPool pool;
    private final Surroundings surroundings;

    private WorkerPolicy(WorkerPool pool, Surroundings surroundings) {
        this.pool = pool;
        this.surroundings = surroundings;
    }

    /**
     * @param workers the pool's pods, completed
     * @param allow the hosts that agents may reach
     * @param port of the worker's probes and metrics
     */
    public static NetworkPolicySpec of(
            WorkerPool pool, PodSpec workers, List<String> allow, int port, Surroundings surroundings) {
        final WorkerPolicy policy = new WorkerPolicy(pool, surroundings);
        return new NetworkPolicySpecBuilder()
                .withPodSelector(new LabelSelectorBuilder()
                        .addToMatchLabels(Names.POOL_LABEL, pool.getMetadata().getName())
                        .build())
                .withPolicyTypes("Ingress", "Egress")
                .withIngress(new NetworkPolicyIngressRuleBuilder()
                        .withPorts(tcp(port))
                        .build())
                .withEgress(policy.egress(workers, allow))
                .build();
    }

    private List<NetworkPolicyEgressRule> egress(PodSpec workers, List<String> allow) {
        final List<NetworkPolicyEgressRule> rules = new ArrayList<>(names());
        final Stream<Destination> named = Stream.of(
                        urls(workers).flatMap(this::ofUrl),
                        allow.stream().flatMap(entry -> Destinations.ofEntry(entry, namespace()).stream()))
                .flatMap(all -> all);
        final Collection<Destination> servers =
                Stream.concat(ofUrl(surroundings.natsUrl()), named).distinct().toList();
        if (pool.getSpec().isolation().egress().policy() == WorkerPoolSpec.EgressPolicy.Open) {
            rules.add(to(
                    List.of(),
                    Stream.concat(Stream.of(everyPod()), everywhere()).toList()));
            return rules;
        }
        rules.add(to(tcp(PUBLIC), publicAddresses()));
        rules.addAll(services(servers));
        rules.addAll(addresses(servers));
        final int[] ports = servers.stream()
                .flatMap(server -> server instanceof Destination.AnyHost host ? Stream.of(host.port()) : Stream.of())
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
        if (ports.length > 0) {
            rules.add(to(tcp(ports), everywhere().toList()));
        }
        return rules;
    }

    /** The places where the pool's author names servers: values of variables, and repositories. */
    private Stream<String> urls(PodSpec workers) {
        final Stream<String> variables = Stream.concat(
                        workers.getContainers().stream(), workers.getInitContainers().stream())
                .map(Container::getEnv)
                .flatMap(List::stream)
                .map(EnvVar::getValue)
                .filter(Objects::nonNull);
        final WorkerPoolSpec.GitAccess git = pool.getSpec().git();
        return Stream.concat(
                variables,
                git == null ? Stream.of() : git.credentials().stream().map(WorkerPoolSpec.Credential::url));
    }

    private Stream<Destination> ofUrl(String text) {
        return Destinations.ofUrl(text, namespace()).stream();
    }

    private String namespace() {
        return pool.getMetadata().getNamespace();
    }

    /** DNS servers: kube-system, OpenShift's namespace with its port, and a cache on the node. */
    private static List<NetworkPolicyEgressRule> names() {
        final List<NetworkPolicyPort> ports = Stream.of("UDP", "TCP")
                .flatMap(protocol -> IntStream.of(DNS).mapToObj(port -> port(protocol, port)))
                .toList();
        return List.of(to(
                ports,
                List.of(inNamespaces("kube-system", "openshift-dns"), range(Addresses.NODE_LOCAL_DNS, List.of()))));
    }

    /** One rule for all of them, on any port, because a Service's port may differ from its pods' port. */
    private static List<NetworkPolicyEgressRule> services(Collection<Destination> servers) {
        final SortedSet<String> namespaces = new TreeSet<>();
        servers.forEach(server -> {
            if (server instanceof Destination.Service service) {
                namespaces.add(service.namespace());
            }
        });
        return namespaces.isEmpty()
                ? List.of()
                : List.of(to(List.of(), List.of(inNamespaces(namespaces.toArray(String[]::new)))));
    }

    private List<NetworkPolicyEgressRule> addresses(Collection<Destination> servers) {
        final SortedMap<Integer, SortedSet<String>> byPort = new TreeMap<>();
        servers.forEach(server -> {
            if (server instanceof Destination.Address at && !surroundings.isForbidden(at.address())) {
                byPort.computeIfAbsent(at.port(), port -> new TreeSet<>()).add(Addresses.only(at.address()));
            }
        });
        return byPort.entrySet().stream()
                .map(entry -> to(
                        tcp(entry.getKey()),
                        entry.getValue().stream()
                                .map(only -> range(only, List.of()))
                                .toList()))
                .toList();
    }

    private List<NetworkPolicyPeer> publicAddresses() {
        return List.of(
                except(
                        Addresses.ALL_IPV4,
                        Stream.concat(Addresses.PRIVATE_IPV4.stream(), Addresses.METADATA_IPV4.stream())
                                .toList()),
                except(Addresses.PUBLIC_IPV6, List.of()));
    }

    private Stream<NetworkPolicyPeer> everywhere() {
        return Stream.of(
                except(Addresses.ALL_IPV4, Addresses.METADATA_IPV4),
                except(Addresses.ALL_IPV6, Addresses.METADATA_IPV6));
    }

    private NetworkPolicyPeer except(String range, List<String> excepted) {
        return range(range, Addresses.within(range, excepted, surroundings.apiServer()));
    }

    /** Some network plugins apply address ranges only to destinations outside of the cluster. */
    private static NetworkPolicyPeer everyPod() {
        return new NetworkPolicyPeerBuilder()
                .withNewNamespaceSelector()
                .endNamespaceSelector()
                .build();
    }

    private static NetworkPolicyPeer inNamespaces(String... names) {
        return new NetworkPolicyPeerBuilder()
                .withNewNamespaceSelector()
                .addNewMatchExpression()
                .withKey(NAMESPACE)
                .withOperator("In")
                .withValues(names)
                .endMatchExpression()
                .endNamespaceSelector()
                .build();
    }

    private static NetworkPolicyPeer range(String range, List<String> excepted) {
        return new NetworkPolicyPeerBuilder()
                .withNewIpBlock()
                .withCidr(range)
                .withExcept(excepted)
                .endIpBlock()
                .build();
    }

    private static NetworkPolicyEgressRule to(List<NetworkPolicyPort> ports, List<NetworkPolicyPeer> peers) {
        return new NetworkPolicyEgressRuleBuilder()
                .withPorts(ports)
                .withTo(peers)
                .build();
    }

    private static List<NetworkPolicyPort> tcp(int... ports) {
        return IntStream.of(ports)
                .distinct()
                .mapToObj(port -> port("TCP", port))
                .toList();
    }

    private static NetworkPolicyPort port(String protocol, int port) {
        return new NetworkPolicyPortBuilder()
                .withProtocol(protocol)
                .withPort(new IntOrString(port))
                .build();
    }
}
