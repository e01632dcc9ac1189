package dev.codeforge.soak;

import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.testing.faults.NatsProxy;
import dev.codeforge.testing.faults.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The workers of all pools: as many as each pool's Deployment would have, each replaced when it is lost. */
final class Workers implements AutoCloseable {
    static final int ACK_WAIT_SECONDS = 5;
    private static final Map<String, String> SETTINGS =
            Map.of("CODEFORGE_CONCURRENCY", "5", "CODEFORGE_GRACE_SECONDS", "1");
    private static final Duration END = Duration.ofMinutes(3);

    private final List<Place> places = new ArrayList<>();
    private final Path directory;
    private final NatsAccess.Password nats;
    private final String namespace;
    private final String script;
    private final FaultLog log;
    private volatile boolean closed;

    Workers(Path directory, NatsAccess.Password nats, String namespace, String script, FaultLog log) {
        this.directory = directory;
        this.nats = nats;
        this.namespace = namespace;
        this.script = script;
        this.log = log;
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
                    SETTINGS);
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

        synchronized void kill() {
            log.run("worker killed", worker.name(), true, worker::kill);
            link.close();
            next();
        }

        /** Its successor starts at once; it may finish within its grace time. */
        synchronized void terminate() {
            final WorkerProcess old = worker;
            final NatsProxy oldLink = link;
            log.run("worker terminated", old.name(), true, old::terminate);
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
            log.run("worker stopped past its ack wait", now.name(), true, () -> {
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
            log.run("worker's network frozen past its ack wait", now, true, () -> {
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
