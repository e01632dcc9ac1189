package dev.codeforge.operator.pool;

import dev.codeforge.operator.pool.access.AccessMemory;
import dev.codeforge.operator.pool.workers.ShortGrace;
import dev.codeforge.operator.pool.workers.SpentWorkers;
import dev.codeforge.operator.pool.workers.StartTroubles;
import dev.codeforge.operator.pool.workers.WorkerWalls;
import dev.codeforge.operator.scaling.DemandWindow;
import dev.codeforge.operator.scaling.ScaleDown;
import dev.codeforge.operator.scaling.WorkerScale;
import dev.codeforge.operator.time.RecheckTimer;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentSpec;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What is remembered of one pool between two reconciles. Each subject has a part of its own, which only its class reads and
 * writes. Nothing is guarded: the framework reconciles one pool on one thread at a time. All of it may be lost, as in a restart.
 */
final class PoolMemory {
    private final QueueKeeper.Memory queue = new QueueKeeper.Memory();
    private final ServiceTimes.Memory serviceTime = new ServiceTimes.Memory();
    private final RecheckTimer<Map<String, String>> config = new RecheckTimer<>();
    private final PoolFiles.Memory files = new PoolFiles.Memory();
    private final RecheckTimer<Deployment> network = new RecheckTimer<>();
    private final AccessMemory access = new AccessMemory();
    private final RecheckTimer<Map<String, String>> secret = new RecheckTimer<>();
    private final StartTroubles.Memory starts = new StartTroubles.Memory();
    private final SpentWorkers.Memory spent = new SpentWorkers.Memory();
    private final WorkerWalls.Memory walls = new WorkerWalls.Memory();
    private final ShortGrace.Memory graces = new ShortGrace.Memory();
    private final WorkerScale.Memory scale = new WorkerScale.Memory();
    private final ScaleDown.Memory scaleDown = new ScaleDown.Memory(scale);
    private DemandWindow demand = DemandWindow.EMPTY;
    private Optional<Applied> applied = Optional.empty();
    private Instant statusWritten = Instant.EPOCH;
    private boolean released;

    /**
     * The Deployment that was applied last, and its spec afterwards: without a change nothing is applied again.
     *
     * @param became with the API server's defaults, without the number of workers
     */
    record Applied(Deployment wanted, DeploymentSpec became) {}

    QueueKeeper.Memory queue() {
        return queue;
    }

    ServiceTimes.Memory serviceTime() {
        return serviceTime;
    }

    RecheckTimer<Map<String, String>> config() {
        return config;
    }

    PoolFiles.Memory files() {
        return files;
    }

    RecheckTimer<Deployment> network() {
        return network;
    }

    AccessMemory access() {
        return access;
    }

    RecheckTimer<Map<String, String>> secret() {
        return secret;
    }

    StartTroubles.Memory starts() {
        return starts;
    }

    SpentWorkers.Memory spent() {
        return spent;
    }

    WorkerWalls.Memory walls() {
        return walls;
    }

    ShortGrace.Memory graces() {
        return graces;
    }

    WorkerScale.Memory scale() {
        return scale;
    }

    ScaleDown.Memory scaleDown() {
        return scaleDown;
    }

    DemandWindow demand() {
        return demand;
    }

    void decided(DemandWindow window) {
        demand = window;
    }

    boolean wasApplied(Applied deployment) {
        return applied.filter(deployment::equals).isPresent();
    }

    void applied(Applied deployment) {
        applied = Optional.of(deployment);
    }

    /** When its status was stored last. */
    Instant statusWritten() {
        return statusWritten;
    }

    void statusWritten(Instant when) {
        statusWritten = when;
    }

    /** Whether its finalizer is removed. A stale cache still shows the pool for a while. */
    boolean isReleased() {
        return released;
    }

    void released() {
        released = true;
    }
}
