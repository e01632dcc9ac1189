package dev.codeforge.scenarios;

import static dev.codeforge.scenarios.EndState.WORK;
import static dev.codeforge.scenarios.Scene.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Phase;
import dev.codeforge.testing.faults.WorkerProcess;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;

/** A pool's workerConfig reaches the workers that run. The backend here knows no setting, and says so. */
final class WorkerConfigIT {
    @Scenario
    void aChangeReachesARunningWorkerAndTheRemovalToo() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            final WorkerProcess worker = scene.worker("worker", "pool");
            configure(scene, "{\"speed\":\"high\"}");
            eventually(() -> worker.logText().contains("workerConfig of the pool: speed"));
            scene.task("task", "pool", WORK, "");
            scene.awaitPhase("task", Phase.Failed);
            assertThat(scene.status("task").error().type()).isEqualTo("InvalidConfig");
            assertThat(scene.status("task").error().message()).contains("workerConfig of the pool: speed");
            configure(scene, "null");
            eventually(() -> worker.logText().contains("workerConfig of the pool: none"));
            scene.task("next", "pool", WORK, "");
            scene.awaitPhase("next", Phase.Succeeded);
        }
    }

    @Scenario
    void aWorkerConfigThatWasChangedWhileNobodyWasThereIsReadAtTheStart() throws Exception {
        try (Scene scene = Scene.started("pool")) {
            scene.operator().kill();
            configure(scene, "{\"speed\":\"high\"}");
            scene.startOperator();
            eventually(() -> scene.poolCondition("pool", "QueueReady").equals("QueueReady"));
            scene.worker("worker", "pool");
            scene.task("task", "pool", WORK, "");
            scene.awaitPhase("task", Phase.Failed);
            assertThat(scene.status("task").error().type()).isEqualTo("InvalidConfig");
        }
    }

    private static void configure(Scene scene, String settings) {
        scene.poolResource("pool")
                .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"workerConfig\":" + settings + "}}");
    }
}
