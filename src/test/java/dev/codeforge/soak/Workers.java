package dev.codeforge.soak;

import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.soak.FaultLog.Effect;
import dev.codeforge.testing.faults.NatsProxy;
import dev.codeforge.testing.faults.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** The workers of all pools: as many as each pool's Deployment would have, each replaced when it is lost. */
final class Workers implements AutoCloseable {
    static final int ACK_WAIT_SECONDS = 5;
    private static final Map<String, String> SETTINGS =
            Map.of("CODEFORGE_CONCURRENCY", "5", "CODEFORGE_GRACE_SECONDS", "1");
    private static final Duration END = Duration.ofMinutes(3);

    /** A worker finds out by itself within 15 s. */
    private static final Duration NOTICED = Duration.ofSeconds(18);

    private final List<Place> places = new ArrayList<>();
    private final Path directory;
    private final NatsAccess.Password nats;
    private final String namespace;
    private final String script;
    private final FaultLog log;
    private final Optional<Volumes> volumes;
    private volatile boolean closed;

    Workers(
            Path directory,
            NatsAccess.Password nats,
            String namespace,
            String script,
            FaultLog log,
            Optional<Volumes> volumes) {
        this.directory = directory;
        this.nats = nats;
        this.namespace = namespace;
        this.script = script;
        this.log = log;
        this.volumes = volumes;
    }

    void start(String pool, int count) {
        for (int i = 0; i < count; i++) {
            places.add(new Place(pool, pool + "-" + i));
        }
    }

    /** Keeps all alive from now on. */
    void keepAlive() {
        Thread.ofPlatform().daemon().name("workers").start(() -> {
            while (!closed) {
                places.forEach(Place::replaceIfEnded);
                Patience.sleep(Duration.ofMillis(500));
            }
        });
    }

    private static Map<String, String> settings(Optional<Path> volume) {
        final Map<String, String> settings = new HashMap<>(SETTINGS);
        volume.ifPresent(folder -> settings.put("CODEFORGE_WORKSPACE", folder.toString()));
        return settings;
    }

    Place any(Random random) {
        return places.get(random.nextInt(places.size()));
    }

    /** The ways to NATS of the workers that a pool has right now. */
    List<NatsProxy> linksOf(String pool) {
        return places.stream()
                .filter(place -> place.pool.equals(pool))
                .map(Place::link)
                .toList();
    }

    /** Room for one worker: each that takes it has a new name. */
    final class Place {
        private final String pool;
        private final String name;
        private int generation;
        private WorkerProcess worker;
        private NatsProxy link;

        Place(String pool, String name) {
            this.pool = pool;
            this.name = name;
            next();
        }

        private synchronized void next() {
            generation++;
            link = new NatsProxy(nats);
            worker = new WorkerProcess(
                    directory,
                    name + "-" + generation,
                    link.endpoint(),
                    namespace,
                    pool,
                    ACK_WAIT_SECONDS,
                    script,
                    settings(volumes.map(all -> all.of(name))));
            worker.start();
        }

        private synchronized void replaceIfEnded() {
            if (!closed && !worker.isAlive()) {
                log.ownEnd(worker.name());
                link.close();
                next();
            }
        }

        synchronized String worker() {
            return worker.name();
        }

        synchronized NatsProxy link() {
            return link;
        }

        void kill() {
            kill("worker killed");
        }

        /** With its agents, as by the kernel that ends a container of which one process is marked for that. */
        void killForMemory() {
            kill("worker killed, as for want of memory");
        }

        private synchronized void kill(String fault) {
            log.run(fault, worker.name(), Effect.WORKER_LOST, worker::kill);
            link.close();
            next();
        }

        /** SIGTERM, and SIGKILL before it is done, as when a node drains with a short grace period. */
        synchronized void evict(Duration grace) {
            log.run("worker evicted", worker.name(), Effect.WORKER_LOST, () -> {
                worker.terminate();
                Patience.sleep(grace);
                worker.kill();
            });
            link.close();
            next();
        }

        /** SIGKILL to one agent alone, as by the kernel that ends the largest process of a container. */
        void killAgent(Ledger ledger, Random random) {
            final WorkerProcess now = process();
            final List<ProcessHandle> agents = ledger.agentsOf(now.name());
            if (agents.isEmpty()) {
                return;
            }
            log.run("agent killed, as for want of memory", now.name(), Effect.RUNS_FAIL, () -> agents.get(
                            random.nextInt(agents.size()))
                    .destroyForcibly());
        }

        /** Nothing can be written to its workspace for a while. */
        void fillDisk(Duration time) {
            log.run("disk full", name, Effect.RUNS_FAIL, () -> volumes.orElseThrow()
                    .fill(name, time));
        }

        /** Its connection is dead, and nobody says so. */
        void strandLink() {
            final NatsProxy stranded = link();
            log.run("worker's connection half open", worker(), Effect.WORKER_LOST, () -> {
                stranded.strand();
                Patience.sleep(NOTICED);
            });
        }

        private synchronized WorkerProcess process() {
            return worker;
        }

        /** Its successor starts at once; it may finish within its grace time. */
        synchronized void terminate() {
            final WorkerProcess old = worker;
            final NatsProxy oldLink = link;
            log.run("worker terminated", old.name(), Effect.WORKER_LOST, old::terminate);
            next();
            Thread.ofVirtual().start(() -> {
                old.awaitEnd(END);
                oldLink.close();
            });
        }

        /** Not synchronized: it may take long, and only its own process is concerned. */
        void suspend(Duration time) {
            final WorkerProcess now;
            synchronized (this) {
                now = worker;
            }
            log.run("worker stopped past its ack wait", now.name(), Effect.WORKER_LOST, () -> {
                now.suspend();
                Patience.sleep(time);
                now.resume();
            });
        }

        void freezeLink(Duration time) {
            final String now;
            final NatsProxy frozen;
            synchronized (this) {
                now = worker.name();
                frozen = link;
            }
            log.run("worker's network frozen past its ack wait", now, Effect.WORKER_LOST, () -> {
                frozen.freeze();
                Patience.sleep(time);
                frozen.resume();
            });
        }
    }

    @Override
    public void close() {
        closed = true;
        for (final Place place : places) {
            synchronized (place) {
                place.worker.close();
                place.link.close();
            }
        }
    }
}
