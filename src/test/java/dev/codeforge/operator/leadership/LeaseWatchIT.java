package dev.codeforge.operator.leadership;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A lease whose holder has another time than the one who waits for it. */
final class LeaseWatchIT {
    private static final Duration LASTS = Duration.ofSeconds(2);

    private KubernetesClient client;
    private String namespace;

    @BeforeEach
    void aNamespace() throws Exception {
        client = TestCluster.shared().client();
        namespace = TestCluster.shared().newNamespace();
    }

    @Test
    void aHolderThatIsGoneDoesNotHoldItForAsLongAsItsClockIsAhead() {
        hold(ZonedDateTime.now(ZoneOffset.UTC).plusMinutes(10));
        try (LeaseWatch watch = new LeaseWatch(client, namespace, "lease", LASTS)) {
            watch.start();
            await().atMost(PATIENCE)
                    .until(() -> lease().getSpec().getHolderIdentity() == null
                            || lease().getSpec().getHolderIdentity().isEmpty());
        }
    }

    @Test
    void aHolderThatRenewsItKeepsItWhateverTimeItWrites() {
        hold(ZonedDateTime.now(ZoneOffset.UTC).minusMinutes(10));
        try (LeaseWatch watch = new LeaseWatch(client, namespace, "lease", LASTS)) {
            watch.start();
            for (int second = 0; second < 8; second++) {
                final Lease renewed = lease();
                renewed.getSpec().setRenewTime(renewed.getSpec().getRenewTime().plusSeconds(1));
                client.resource(renewed).update();
                await().pollDelay(Duration.ofSeconds(1)).until(() -> true);
                assertThat(lease().getSpec().getHolderIdentity()).isEqualTo("other");
            }
        }
    }

    private void hold(ZonedDateTime renewed) {
        client.resource(new LeaseBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName("lease")
                        .endMetadata()
                        .withNewSpec()
                        .withHolderIdentity("other")
                        .withLeaseDurationSeconds((int) LASTS.toSeconds())
                        .withAcquireTime(renewed)
                        .withRenewTime(renewed)
                        .endSpec()
                        .build())
                .create();
    }

    private Lease lease() {
        return client.leases().inNamespace(namespace).withName("lease").require();
    }
}
