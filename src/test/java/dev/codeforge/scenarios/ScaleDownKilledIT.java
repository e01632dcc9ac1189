package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.PATIENCE;
import static dev.codeforge.testing.faults.ApiRequest.to;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.faults.ApiRequest;
import dev.codeforge.testing.faults.ControllerManager;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import dev.codeforge.testing.faults.OperatorProcess;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The operator is killed at each step of making a pool smaller; the next one ends it, and no busy worker goes. */
final class ScaleDownKilledIT {
    private static final Predicate<ApiRequest> MARK =
            request -> request.verb().equals("PATCH") && request.path().contains("/pods/");

    private static TestCluster cluster;
    private static ControllerManager controllers;
    private static Scene scene;

    @BeforeAll
    static void start() throws Exception {
        cluster = new TestCluster();
        controllers = new ControllerManager(cluster.server());
        scene = Scene.startedOn(cluster);
    }

    @AfterAll
    static void stop() throws Exception {
        scene.close();
        controllers.close();
        cluster.server().close();
    }

    @Test
    void whenItHasAskedTheWorkers() throws Exception {
        killedAt("asked", MARK, Fault.Instead::new);
    }

    @Test
    void whenItHasMarkedOneWorker() throws Exception {
        killedAt("marked", MARK, Fault.AnswerLost::new);
    }

    @Test
    void whenItHasMarkedAllWorkers() throws Exception {
        killedAt("all", scaleOf("all"), Fault.Instead::new);
    }

    @Test
    void whenItHasLoweredTheNumber() throws Exception {
        killedAt("lowered", scaleOf("lowered"), Fault.AnswerLost::new);
    }

    private static Predicate<ApiRequest> scaleOf(String pool) {
        return to("PATCH", "/deployments/" + pool + "-workers/scale");
    }

    /** Of three workers two are to go; one of them gets a task when the operator is dead and the lease is over. */
    private static void killedAt(String name, Predicate<ApiRequest> step, Function<Runnable, Fault> cut)
            throws Exception {
        try (FixedPool pool = new FixedPool(scene, name, 3);
                Injection kill = scene.kubernetes()
                        .at(1, step, cut.apply(() -> scene.operator().kill()))) {
            final List<Fleet.Worker> workers = pool.fleet().workers();
            workers.get(2).idleFor(Duration.ofMinutes(5));
            pool.resize(1);
            kill.awaitHit(PATIENCE);
            eventually(() -> !scene.operator().isAlive());
            // Kubernetes carries out what it was told.
            eventually(() -> pool.fleet().names().size() == pool.size());
            pool.fleet().workers().forEach(Fleet.Worker::forgetDrain);
            if (pool.fleet().names().contains(workers.get(2).pod())) {
                workers.get(2).begin();
            }
            scene.startOperator();
            pool.assertAtRest(1);
        }
    }

    @Test
    void aNewOperatorResumesWhomTheOldOneAsked() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "resumed", 2);
                Injection kill = scene.kubernetes()
                        .at(1, MARK, new Fault.Instead(() -> scene.operator().kill()))) {
            pool.resize(1);
            kill.awaitHit(PATIENCE);
            eventually(() -> !scene.operator().isAlive());
            assertThat(pool.fleet().workers()).anyMatch(Fleet.Worker::isDrained);
            pool.resize(2);
            scene.startOperator();
            eventually(() -> pool.fleet().workers().stream().noneMatch(Fleet.Worker::isDrained));
            pool.assertAtRest(2);
        }
    }

    @Test
    void aStoppedLeaderRemovesNobodyWhenItsFollowerHasResumedTheWorkers() throws Exception {
        try (Scene own = Scene.on(cluster)) {
            final OperatorProcess first = operator(own, "first");
            final OperatorProcess second = operator(own, "second");
            final CountDownLatch busy = new CountDownLatch(1);
            try (FixedPool pool = new FixedPool(own, "stale", 2);
                    Injection scaling = own.kubernetes()
                            .at(1, to("PATCH", "/deployments/stale-workers/scale"), new Fault.Before(() -> {
                                first.suspend();
                                await(busy);
                            }))) {
                pool.resize(1);
                scaling.awaitHit(PATIENCE);
                pool.resize(2);
                eventually(() -> second.logText().contains("operator works"));
                eventually(() -> pool.fleet().workers().stream().noneMatch(Fleet.Worker::isDrained));
                pool.fleet().workers().forEach(Fleet.Worker::begin);
                busy.countDown();
                first.resume();
                assertThat(first.awaitEnd(PATIENCE)).isNotZero();
                pool.assertAtRest(2);
            }
        }
    }

    private static OperatorProcess operator(Scene scene, String name) {
        final OperatorProcess operator =
                scene.installation().operator(name, Map.of("CODEFORGE_LEADER_ELECTION", "true"));
        operator.start();
        operator.awaitReady();
        return operator;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }
}
