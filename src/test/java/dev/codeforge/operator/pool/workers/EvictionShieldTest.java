package dev.codeforge.operator.pool.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.Resources;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class EvictionShieldTest {
    private static final String AUTOSCALER = "cluster-autoscaler.kubernetes.io/safe-to-evict";
    private static final String KARPENTER = "karpenter.sh/do-not-disrupt";
    private static final String SHIELDED = AUTOSCALER + ": 'false', " + KARPENTER + ": 'true'";

    @Test
    void aPodThatRunsATaskIsShielded() {
        assertThat(changes(pod(""), "worker", template("")))
                .containsExactly(Map.of(AUTOSCALER, Optional.of("false"), KARPENTER, Optional.of("true")));
    }

    @Test
    void oneThatIsIdleIsNotShieldedAnyMore() {
        assertThat(changes(pod(SHIELDED), "another", template("")))
                .containsExactly(Map.of(AUTOSCALER, Optional.empty(), KARPENTER, Optional.empty()));
    }

    @Test
    void nothingIsWrittenWhereAllIsRight() {
        assertThat(changes(pod(SHIELDED), "worker", template(""))).isEmpty();
        assertThat(changes(pod(""), "another", template(""))).isEmpty();
    }

    @Test
    void whatIsMissingIsAdded() {
        assertThat(changes(pod(AUTOSCALER + ": 'false'"), "worker", template("")))
                .containsExactly(Map.of(KARPENTER, Optional.of("true")));
    }

    @Test
    void whatTheTemplateSaysStays() {
        assertThat(changes(pod(AUTOSCALER + ": 'true'"), "worker", template(AUTOSCALER + ": 'true'")))
                .containsExactly(Map.of(KARPENTER, Optional.of("true")));
        assertThat(changes(pod(SHIELDED), "another", template(SHIELDED))).isEmpty();
    }

    @Test
    void aPodThatGoesAnywayIsLeftAlone() {
        final Pod going = Resources.of(
                Pod.class, "metadata: {name: worker, namespace: ns, deletionTimestamp: '2026-11-24T12:00:00Z'}");
        assertThat(EvictionShield.changes(List.of(going), Set.of("worker"), Optional.empty()))
                .isEmpty();
    }

    private static List<Map<String, Optional<String>>> changes(Pod pod, String busy, Deployment workers) {
        return EvictionShield.changes(List.of(pod), Set.of(busy), Optional.of(workers)).stream()
                .map(EvictionShield.Change::annotations)
                .toList();
    }

    private static Pod pod(String annotations) {
        return Resources.of(Pod.class, "metadata: {name: worker, namespace: ns, annotations: {" + annotations + "}}");
    }

    private static Deployment template(String annotations) {
        return Resources.of(
                Deployment.class, "spec: {template: {metadata: {annotations: {" + annotations + "}}, spec: {}}}");
    }
}
