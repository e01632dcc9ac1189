package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.Scene.eventually;
import static dev.codeforge.testing.Patience.throughout;
import static dev.codeforge.testing.faults.ApiRequest.to;

import dev.codeforge.testing.TestCluster;
import dev.codeforge.testing.faults.ControllerManager;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A pool becomes smaller: real controllers delete the pods, and none of them has a task. */
final class ScaleDownIT {
    private static final Duration WHILE = Duration.ofSeconds(5);

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

    @Scenario
    void whoWasIdleLongestGoesAndWhoIsBusyStays() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "idle", 4)) {
            final List<Fleet.Worker> workers = pool.fleet().workers();
            workers.get(0).begin();
            workers.get(1).idleFor(Duration.ofMinutes(10));
            workers.get(2).idleFor(Duration.ofMinutes(20));
            pool.resize(2);
            pool.awaitWorkers(workers.get(0), workers.get(3));
            pool.assertAtRest(2);
        }
    }

    @Scenario
    void aBusyWorkerIsWaitedForAndThePoolSaysSo() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "busy", 3)) {
            final List<Fleet.Worker> workers = pool.fleet().workers();
            workers.get(0).begin();
            workers.get(2).begin();
            pool.resize(0);
            pool.awaitWorkers(workers.get(0), workers.get(2));
            eventually(() -> pool.reason().equals("WorkersBusy"));
            throughout(WHILE, () -> pool.fleet().names().size() == 2);
            workers.get(2).end();
            pool.awaitWorkers(workers.get(0));
            workers.get(0).end();
            pool.assertAtRest(0);
        }
    }

    @Scenario
    void whereAllAreBusyThoseThatHaveToGoTakeNoMoreAndTheOthersDo() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "finish", 3)) {
            pool.fleet().workers().forEach(Fleet.Worker::begin);
            pool.resize(2);
            eventually(() -> pool.finishing().size() == 1);
            throughout(WHILE, () -> pool.finishing().size() == 1);
            final Fleet.Worker leaving = pool.finishing().getFirst();
            leaving.end();
            eventually(() -> pool.fleet().names().size() == 2);
            pool.assertAtRest(2);
        }
    }

    @Scenario
    void whoWasToFinishGoesOnWhenThePoolMayBeLargeAgain() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "again", 2)) {
            pool.fleet().workers().forEach(Fleet.Worker::begin);
            pool.resize(1);
            eventually(() -> pool.finishing().size() == 1);
            pool.resize(2);
            eventually(() -> pool.finishing().isEmpty());
            pool.assertAtRest(2);
        }
    }

    @Scenario
    void whoIsNotReadyGoesFirst() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "unready", 2)) {
            final List<Fleet.Worker> ready = pool.fleet().workers();
            ready.get(0).idleFor(Duration.ofHours(1));
            pool.fleet().nextIsUnready();
            pool.resize(3);
            eventually(() -> pool.fleet().workers().size() == 3);
            pool.resize(2);
            pool.awaitWorkers(ready.get(0), ready.get(1));
            pool.assertAtRest(2);
        }
    }

    @Scenario
    void whoDoesNotAnswerStays() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "silent", 2)) {
            final List<Fleet.Worker> workers = pool.fleet().workers();
            workers.get(0).fallSilent();
            pool.resize(0);
            pool.awaitWorkers(workers.get(0));
            throughout(WHILE, () -> pool.fleet().names().size() == 1);
        }
    }

    @Scenario
    void aRolloutFreezesTheSize() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "rollout", 2)) {
            pool.fleet().nextIsUnready();
            pool.edit("{\"template\":{\"metadata\":{\"labels\":{\"version\":\"2\"}}}}");
            eventually(() -> pool.fleet().names().size() == 3);
            pool.resize(1);
            throughout(WHILE, () -> pool.size() == 2);
        }
    }

    @Scenario
    void whoWasAskedInVainTakesTasksAgain() throws Exception {
        try (FixedPool pool = new FixedPool(scene, "vain", 2);
                Injection conflicts = scene.kubernetes()
                        .each(to("PATCH", "/deployments/vain-workers/scale"), new Fault.Answer(409))) {
            pool.resize(1);
            eventually(() -> pool.fleet().workers().stream().anyMatch(Fleet.Worker::isDrained));
            eventually(() -> !pool.fleet().marked().isEmpty());
            pool.resize(2);
            conflicts.close();
            eventually(() -> pool.fleet().workers().stream().noneMatch(Fleet.Worker::isDrained));
            pool.assertAtRest(2);
        }
    }

    @Scenario
    void nobodyGoesWhileNatsIsAway() throws Exception {
        try (Scene own = Scene.startedOn(cluster);
                FixedPool pool = new FixedPool(own, "pool", 2)) {
            own.operatorNats().refuse();
            own.operatorNats().cut();
            pool.resize(0);
            throughout(WHILE, () -> pool.fleet().names().size() == 2);
            own.operatorNats().accept();
            pool.assertAtRest(0);
        }
    }
}
