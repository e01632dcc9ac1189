package dev.codeforge.operator.framework;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.testing.TestCluster;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the framework's state of a name does to an object that is made again: with a reconciler of nothing but that. */
final class RecreatedPrimariesIT {
    private final Reconciling reconciling = new Reconciling();
    private KubernetesClient client;
    private String namespace;
    private Operator operator;

    @BeforeEach
    void start() throws Exception {
        client = TestCluster.shared().client();
        namespace = TestCluster.shared().newNamespace();
        operator = new Operator(overrider -> overrider
                .withKubernetesClient(client)
                .withCloseClientOnStop(false)
                .withMetrics(reconciling.recreations));
        operator.register(reconciling, overrider -> overrider
                .settingNamespaces(Set.of(namespace))
                .withRetry(new UnlimitedRetry())
                .withTriggerReconcilerOnAllEvents(true));
        operator.start();
    }

    @AfterEach
    void stop() {
        operator.stop();
    }

    @Test
    void oneThatIsMadeAgainDuringTheReconcileOfItsDeletionIsReconciledAfterIt() {
        reconciling.wait = Wait.IN_THE_DELETION;
        final String former = createdAndReconciled();
        delete();
        await().atMost(PATIENCE).until(() -> reconciling.waits);
        final String latter = createdAndReconciled();
        assertThat(reconciling.done)
                .containsSubsequence(new Done(former, false), new Done(former, true), new Done(latter, false));
    }

    @Test
    void aDeletionThatFailsIsTriedAgainWithTheDeletedOneAlthoughItsNamesakeIsThere() {
        reconciling.wait = Wait.IN_THE_DELETION;
        reconciling.fails = true;
        final String former = createdAndReconciled();
        delete();
        await().atMost(PATIENCE).until(() -> reconciling.waits);
        final String latter = createdAndReconciled();
        assertThat(reconciling.done)
                .containsSubsequence(new Done(former, true), new Done(former, true), new Done(latter, false))
                .doesNotContain(new Done(latter, true));
    }

    @Test
    void oneThatIsMadeAgainBeforeItsDeletionWasReconciledIsReconciled() {
        reconciling.wait = Wait.IN_THE_FIRST;
        create();
        await().atMost(PATIENCE).until(() -> reconciling.waits);
        delete();
        final String latter = createdAndReconciled();
        assertThat(reconciling.done).doesNotContain(new Done(latter, true));
    }

    private String createdAndReconciled() {
        final String uid = create();
        await().atMost(PATIENCE).until(() -> reconciling.done.contains(new Done(uid, false)));
        return uid;
    }

    private String create() {
        return client.resource(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withName("made-again")
                        .withNamespace(namespace)
                        .endMetadata()
                        .build())
                .create()
                .getMetadata()
                .getUid();
    }

    private void delete() {
        client.configMaps().inNamespace(namespace).withName("made-again").delete();
    }

    private enum Wait {
        IN_THE_FIRST,
        IN_THE_DELETION
    }

    private record Done(String uid, boolean deleted) {}

    /** Waits in one reconcile until the namesake is there, and its event has been taken. */
    private static final class Reconciling implements Reconciler<ConfigMap> {
        private final RecreatedPrimaries<ConfigMap> recreations = new RecreatedPrimaries<>(ConfigMap.class);
        private final List<Done> done = new CopyOnWriteArrayList<>();
        private volatile Wait wait;
        private volatile boolean fails;
        private volatile boolean waits;

        @Override
        public UpdateControl<ConfigMap> reconcile(ConfigMap handedOver, Context<ConfigMap> context) {
            return handedOver.getMetadata().getName().equals("made-again")
                    ? recreations.reconcile(handedOver, context, (object, deleted) -> look(object, deleted, context))
                    : UpdateControl.noUpdate();
        }

        private UpdateControl<ConfigMap> look(ConfigMap subject, boolean deleted, Context<ConfigMap> context) {
            done.add(new Done(subject.getMetadata().getUid(), deleted));
            if (waits || deleted != (wait == Wait.IN_THE_DELETION)) {
                return UpdateControl.noUpdate();
            }
            waits = true;
            await().atMost(PATIENCE).until(() -> context.getPrimaryCache()
                    .get(ResourceID.fromResource(subject))
                    .filter(live -> !live.getMetadata()
                            .getUid()
                            .equals(subject.getMetadata().getUid()))
                    .isPresent());
            // The cache has it before the framework takes its event.
            await().pollDelay(Duration.ofMillis(500)).until(() -> true);
            if (fails) {
                throw new IllegalStateException("the first try of a deletion");
            }
            return UpdateControl.noUpdate();
        }

        @Override
        public List<EventSource<?, ConfigMap>> prepareEventSources(EventSourceContext<ConfigMap> context) {
            return List.of(recreations.in(context.getPrimaryCache()));
        }
    }
}
