package dev.codeforge.operator.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyEgressRule;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeer;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicySpec;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkerPolicyTest {
    private static final String NATS = "nats://codeforge-nats.codeforge-system.svc:4222";
    private static final Surroundings SURROUNDINGS =
            Surroundings.of(NATS, List.of("10.96.0.1", "34.1.2.3", "2600::1", "api.example.org"));

    @Test
    void itIsForThePodsOfThePool() {
        final NetworkPolicySpec policy = restricted("{}");
        assertThat(policy.getPodSelector().getMatchLabels()).containsOnly(Map.entry("codeforge.dev/pool", "pool"));
        assertThat(policy.getPolicyTypes()).containsExactly("Ingress", "Egress");
    }

    @Test
    void onlyThePortOfProbesAndMetricsIsReachedFromOutside() {
        assertThat(restricted("{}").getIngress()).singleElement().satisfies(rule -> {
            assertThat(ports(rule.getPorts())).containsExactly("TCP 8080");
            assertThat(rule.getFrom()).isEmpty();
        });
    }

    @ParameterizedTest
    @EnumSource(WorkerPoolSpec.EgressPolicy.class)
    void namesAreAskedForInTheCluster(WorkerPoolSpec.EgressPolicy policy) {
        final NetworkPolicyEgressRule names =
                policy(policy, List.of(), "{}").getEgress().getFirst();
        assertThat(ports(names.getPorts())).containsExactly("UDP 53", "UDP 5353", "TCP 53", "TCP 5353");
        assertThat(namespaces(names)).containsExactly("kube-system", "openshift-dns");
        assertThat(cidrs(names)).containsExactly("169.254.20.10/32");
    }

    @Test
    void publicServersAreReachedOnTwoPorts() {
        assertThat(reaches(restricted("{}"), "151.101.1.1", 443)).isTrue();
        assertThat(reaches(restricted("{}"), "2a04:4e42::1", 22)).isTrue();
        assertThat(reaches(restricted("{}"), "151.101.1.1", 80)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"10.1.2.3", "172.20.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "240.0.0.1", "fd12::1", "::1"
            })
    void privateServersAreNot(String address) {
        assertThat(reaches(restricted("{}"), address, 443)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "169.254.169.254",
                "169.254.170.2",
                "168.63.129.16",
                "100.100.100.200",
                "192.0.0.192",
                "fd00:ec2::254",
                "fd20:ce::254",
                "fe80::1",
                "64:ff9b::a9fe:a9fe"
            })
    void noPoolReachesWhereCloudsTellSecrets(String address) {
        assertNeverReached(address);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.96.0.1", "34.1.2.3", "2600::1"})
    void noPoolReachesTheApiServer(String address) {
        assertNeverReached(address);
    }

    private static void assertNeverReached(String address) {
        final String url = address.contains(":") ? "http://[" + address + "]:80" : "http://" + address + ":80";
        final String named = "{name: A, value: '%s'}, {name: B, value: 'http://example.org:443'}".formatted(url);
        for (final WorkerPoolSpec.EgressPolicy policy : WorkerPoolSpec.EgressPolicy.values()) {
            for (final int port : new int[] {80, 443}) {
                assertThat(reaches(policy(policy, List.of("a.org:80"), named), address, port))
                        .as("%s by %s", address, policy)
                        .isFalse();
            }
        }
    }

    @Test
    void openIsEveryOtherServerAndEveryPod() {
        final NetworkPolicySpec open = policy(WorkerPoolSpec.EgressPolicy.Open, List.of(), "{}");
        assertThat(reaches(open, "10.1.2.3", 5432)).isTrue();
        assertThat(reaches(open, "fd12::1", 80)).isTrue();
        assertThat(open.getEgress().getLast().getTo())
                .anySatisfy(peer -> assertThat(peer.getNamespaceSelector().getMatchExpressions())
                        .isEmpty());
    }

    @Test
    void natsIsReachedWhereItIs() {
        assertThat(namespaces(restricted("{}").getEgress().get(2))).containsExactly("codeforge-system");
    }

    @Test
    void theDemosModelAndRepositoriesAreReached() {
        final WorkerPool pool = pool(WorkerPoolSpec.EgressPolicy.Restricted, "http://git.codeforge-demo.svc/");
        final NetworkPolicySpec policy = WorkerPolicy.of(
                pool,
                pod("{name: OPENAI_API_BASE, value: 'http://llm.models.svc:4000/v1'}"),
                List.of("packages.team.svc:8443"),
                8080,
                SURROUNDINGS);
        assertThat(namespaces(policy.getEgress().get(2)))
                .containsExactly("codeforge-demo", "codeforge-system", "models", "team");
        assertThat(policy.getEgress().get(2).getPorts()).isEmpty();
    }

    @Test
    void aPortThatIsWrittenOpensPrivateAddresses() {
        final NetworkPolicySpec policy = policy(
                WorkerPoolSpec.EgressPolicy.Restricted,
                List.of("git.example.org:8443"),
                "{name: OPENAI_API_BASE, value: 'https://llm.corp.example.org:443/v1'}");
        assertThat(reaches(policy, "10.1.2.3", 8443)).isTrue();
        assertThat(reaches(policy, "10.1.2.3", 443)).isTrue();
        assertThat(reaches(policy, "10.1.2.3", 80)).isFalse();
    }

    @Test
    void anAddressIsReachedOnItsPortAlone() {
        final NetworkPolicySpec policy = restricted("{name: OPENAI_API_BASE, value: 'http://10.1.2.3:8000/v1'}");
        assertThat(reaches(policy, "10.1.2.3", 8000)).isTrue();
        assertThat(reaches(policy, "10.1.2.3", 443)).isFalse();
        assertThat(reaches(policy, "10.1.2.4", 8000)).isFalse();
    }

    private static NetworkPolicySpec restricted(String variables) {
        return policy(WorkerPoolSpec.EgressPolicy.Restricted, List.of(), variables);
    }

    private static NetworkPolicySpec policy(WorkerPoolSpec.EgressPolicy egress, List<String> allow, String variables) {
        return WorkerPolicy.of(
                pool(egress, "https://git.example.org/team/"), pod(variables), allow, 8080, SURROUNDINGS);
    }

    private static WorkerPool pool(WorkerPoolSpec.EgressPolicy egress, String repository) {
        final WorkerPool pool = Resources.pool("ns", "pool", null);
        pool.setSpec(Resources.of(
                WorkerPoolSpec.class,
                """
                backend: command
                isolation: {egress: {policy: %s}}
                git: {credentials: [{url: '%s', secretRef: {name: git}}]}
                """
                        .formatted(egress, repository)));
        return pool;
    }

    private static PodSpec pod(String variables) {
        return Resources.of(PodSpec.class, "containers: [{name: worker, env: [%s]}]".formatted(variables));
    }

    /** As an engine reads it: any rule, any peer of it. */
    private static boolean reaches(NetworkPolicySpec policy, String address, int port) {
        final var found = Addresses.read(address).orElseThrow();
        return policy.getEgress().stream()
                .filter(rule ->
                        rule.getPorts().isEmpty() || ports(rule.getPorts()).contains("TCP " + port))
                .flatMap(rule -> rule.getTo().stream())
                .map(NetworkPolicyPeer::getIpBlock)
                .filter(block -> block != null)
                .anyMatch(block -> Addresses.contains(block.getCidr(), found)
                        && block.getExcept().stream().noneMatch(range -> Addresses.contains(range, found)));
    }

    private static List<String> ports(List<NetworkPolicyPort> ports) {
        return ports.stream()
                .map(port -> port.getProtocol() + " " + port.getPort().getIntVal())
                .toList();
    }

    private static List<String> namespaces(NetworkPolicyEgressRule rule) {
        return rule.getTo().stream()
                .filter(peer -> peer.getNamespaceSelector() != null)
                .flatMap(peer -> peer.getNamespaceSelector().getMatchExpressions().stream())
                .flatMap(expression -> expression.getValues().stream())
                .toList();
    }

    private static List<String> cidrs(NetworkPolicyEgressRule rule) {
        return rule.getTo().stream()
                .flatMap(peer -> peer.getIpBlock() == null
                        ? Stream.of()
                        : Stream.of(peer.getIpBlock().getCidr()))
                .toList();
    }
}
