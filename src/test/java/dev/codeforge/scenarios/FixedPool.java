package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.throughout;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.util.List;

/** A fixed pool whose size the test changes. */
final class FixedPool implements AutoCloseable {
    private static final Duration WHILE = Duration.ofSeconds(5);
    private final String name;
    private final Scene scene;
    private final Fleet fleet;

    /** Returns when its workers take tasks. */
    FixedPool(Scene scene, String name, int size) throws Exception {
        this.scene = scene;
        this.name = name;
        this.fleet = new Fleet(
                scene.installation().client(),
                scene.installation().namespace(),
                name,
                scene.installation().nats());
        scene.installation()
                .create(
                        """
                        apiVersion: codeforge.dev/v1alpha1
                        kind: WorkerPool
                        metadata: {name: %s}
                        spec: {backend: command, queue: {subject: %s}, replicas: %d}
                        """
                                .formatted(name, scene.subject(name), size));
        eventually(() -> fleet.names().size() == size && ready() == size);
    }

    Fleet fleet() {
        return fleet;
    }

    void resize(int size) {
        edit("{\"replicas\":" + size + "}");
    }

    void edit(String spec) {
        scene.poolResource(name).patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":" + spec + "}");
    }

    int size() {
        return deployment().getSpec().getReplicas();
    }

    private int ready() {
        final Integer ready = deployment().getStatus().getReadyReplicas();
        return ready == null ? 0 : ready;
    }

    private Deployment deployment() {
        return scene.installation()
                .client()
                .apps()
                .deployments()
                .inNamespace(scene.installation().namespace())
                .withName(name + "-workers")
                .require();
    }

    String reason() {
        return scene.poolResource(name).require().getStatus().scaling().reason();
    }

    /** Workers that take no further task. */
    List<Fleet.Worker> finishing() {
        return fleet.workers().stream().filter(Fleet.Worker::isDrained).toList();
    }

    void awaitWorkers(Fleet.Worker... staying) {
        final List<String> names =
                List.of(staying).stream().map(Fleet.Worker::pod).toList();
        eventually(() -> fleet.names().size() == names.size() && fleet.names().containsAll(names));
    }

    /** So many workers, all of which take tasks; none of the others had one. */
    void assertAtRest(int size) {
        eventually(() -> fleet.names().size() == size && size() == size);
        eventually(() -> fleet.marked().isEmpty());
        throughout(WHILE, () -> fleet.names().size() == size && fleet.marked().isEmpty());
        assertThat(fleet.workers()).noneMatch(Fleet.Worker::isDrained);
        assertThat(fleet.removedBusy()).isEmpty();
        assertThat(fleet.removedPulling()).isEmpty();
    }

    @Override
    public void close() throws Exception {
        fleet.close();
    }
}
