package dev.codeforge.operator.time;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** The clock that stamps resources, as a real API server tells it. */
final class ApiServerTimeIT {
    @Test
    void whatIsCreatedBetweenTwoAnswersIsStampedBetweenThem() throws Exception {
        final KubernetesClient client = TestCluster.shared().client();
        final Instant before = ApiServerTime.of(client);
        final String namespace = TestCluster.shared().newNamespace();
        final Instant after = ApiServerTime.of(client);
        assertThat(Instant.parse(client.namespaces()
                        .withName(namespace)
                        .require()
                        .getMetadata()
                        .getCreationTimestamp()))
                .isBetween(before, after);
    }
}
