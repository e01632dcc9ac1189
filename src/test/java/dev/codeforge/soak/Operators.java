package dev.codeforge.soak;

import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.testing.faults.ApiWrite;
import dev.codeforge.testing.faults.KubernetesProxy;
import dev.codeforge.testing.faults.NatsProxy;
import dev.codeforge.testing.faults.OperatorProcess;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Two operators under leader election, each started again when it ends, as the kubelet does. */
final class Operators implements AutoCloseable {
    private final List<Seat> seats = new ArrayList<>();
    private final KubernetesClient client;
    private final String namespace;
    private final AtomicInteger ownEnds = new AtomicInteger();
    private volatile boolean closed;

    /** A pod: its process and its two ways out. While held it stays dead. */
    record Seat(OperatorProcess process, KubernetesProxy kubernetes, NatsProxy nats, AtomicBoolean held) {}

    Operators(Path directory, KubernetesClient client, Config server, NatsAccess.Password nats, String namespace) {
        this.client = client;
        this.namespace = namespace;
        for (final String name : List.of("operator-a", "operator-b")) {
            final KubernetesProxy kubernetes = new KubernetesProxy(server);
            final NatsProxy link = new NatsProxy(nats);
            final OperatorProcess process = new OperatorProcess(
                    directory,
                    name,
                    namespace,
                    kubernetes.kubeconfig(),
                    link.endpoint(),
                    Map.of("CODEFORGE_LEADER_ELECTION", "true"));
            process.start();
            seats.add(new Seat(process, kubernetes, link, new AtomicBoolean()));
        }
        seats.forEach(seat -> seat.process().awaitReady());
        Thread.ofPlatform().daemon().name("operators").start(this::startAgain);
    }

    private void startAgain() {
        while (!closed) {
            for (final Seat seat : seats) {
                if (!seat.held().get() && !seat.process().isAlive()) {
                    ownEnds.incrementAndGet();
                    seat.process().start();
                }
            }
            Patience.sleep(java.time.Duration.ofMillis(500));
        }
    }

    List<Seat> seats() {
        return seats;
    }

    /** Who holds the lease, or one of the two while nobody can tell. */
    Seat leader(Random random) {
        try {
            final String holder = client.leases()
                    .inNamespace(namespace)
                    .withName("codeforge-operator")
                    .require()
                    .getSpec()
                    .getHolderIdentity();
            return seats.stream()
                    .filter(seat -> seat.process().name().equals(holder))
                    .findFirst()
                    .orElseGet(() -> any(random));
        } catch (RuntimeException e) {
            return any(random);
        }
    }

    Seat other(Seat one) {
        return seats.get(0) == one ? seats.get(1) : seats.get(0);
    }

    private Seat any(Random random) {
        return seats.get(random.nextInt(seats.size()));
    }

    /** Writes of both that were asked for. */
    List<ApiWrite> writes() {
        return seats.stream()
                .flatMap(seat -> seat.kubernetes().writes().stream())
                .toList();
    }

    /** How often one ended that nobody had killed, such as a leader that lost its lease. */
    int ownEnds() {
        return ownEnds.get();
    }

    @Override
    public void close() {
        closed = true;
        for (final Seat seat : seats) {
            seat.held().set(true);
            seat.process().close();
            seat.kubernetes().close();
            seat.nats().close();
        }
    }
}
