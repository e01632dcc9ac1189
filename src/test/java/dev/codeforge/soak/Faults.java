package dev.codeforge.soak;

import dev.codeforge.soak.FaultLog.Effect;
import dev.codeforge.testing.faults.ApiRequest;
import dev.codeforge.testing.faults.Fault;
import dev.codeforge.testing.faults.Injection;
import dev.codeforge.testing.faults.KubernetesProxy;
import dev.codeforge.testing.faults.NatsProxy;
import dev.codeforge.wire.Subjects;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** All that can go wrong, each kind as often as the others, in an order that the seed decides. */
final class Faults {
    private static final Duration PAST_ACK_WAIT = Duration.ofSeconds(Workers.ACK_WAIT_SECONDS + 3L);
    /** Its ack wait, and the time for which another asks in vain who holds its tasks. */
    private static final Duration TOO_LONG = PAST_ACK_WAIT.plusSeconds(5);

    private static final Duration PAST_LEASE = Duration.ofSeconds(20);
    private static final Duration AWHILE = Duration.ofSeconds(4);
    private static final Predicate<ApiRequest> STATUS =
            request -> request.verb().equals("PATCH") && request.path().endsWith("/status");

    private final Platform platform;
    private final Random random;
    private final AtomicLong lost = new AtomicLong();
    private final Function<Faults, List<Runnable>> kinds;
    private final Deque<Runnable> round = new ArrayDeque<>();

    private Faults(Platform platform, Random random, Function<Faults, List<Runnable>> kinds) {
        this.platform = platform;
        this.random = random;
        this.kinds = kinds;
    }

    /** Of the platform's own parts. */
    static Faults ofParts(Platform platform, Random random) {
        return new Faults(platform, random, Faults::all);
    }

    /** Of what a run meets on its way to and from its repository. */
    static Faults atTheEdges(Platform platform, Random random) {
        return new Faults(platform, random, Faults::edges);
    }

    /** Does one and returns when it is over. */
    void next() {
        if (round.isEmpty()) {
            final List<Runnable> all = new ArrayList<>(kinds.apply(this));
            Collections.shuffle(all, random);
            round.addAll(all);
        }
        round.remove().run();
    }

    private List<Runnable> all() {
        return List.of(
                () -> killOperator(platform.operators.leader(random), "leader killed", Duration.ZERO),
                () -> killOperator(platform.operators.leader(random), "leader killed past its lease", PAST_LEASE),
                () -> killOperator(
                        platform.operators.other(platform.operators.leader(random)), "standby killed", AWHILE),
                this::stopLeader,
                () -> platform.workers.any(random).kill(),
                () -> platform.workers.any(random).kill(),
                () -> platform.workers.any(random).kill(),
                () -> platform.workers.any(random).terminate(),
                () -> platform.workers.any(random).suspend(TOO_LONG),
                () -> platform.workers.any(random).freezeLink(TOO_LONG),
                () -> killNats(Duration.ZERO),
                () -> killNats(PAST_ACK_WAIT),
                this::freezeNats,
                () -> each("NATS cut", "all", allLinks(), NatsProxy::cut),
                this::killApiServer,
                this::loseStatusAnswers,
                this::refuseStatusWrites,
                this::holdWatches,
                () -> loseAnswers("PubAck of a task lost", "tasks.>", operatorLinks()),
                () -> loseAnswers("PubAck of an event lost", "events.*.*.*", workerLinks()),
                () -> loseAnswers("acknowledgement's answer lost", "$JS.ACK.>", workerLinks()),
                this::purgeStream,
                this::deleteStream);
    }

    private List<Runnable> edges() {
        final List<Runnable> edges = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            edges.add(() -> platform.workers.any(random).fillDisk(fewSeconds()));
            edges.add(() -> platform.workers.any(random).strandLink());
            edges.add(() -> platform.workers.any(random).evict(Duration.ofMillis(random.nextInt(1500))));
            edges.add(() -> platform.workers.any(random).killAgent(platform.ledger, random));
        }
        edges.add(() -> platform.workers.any(random).killForMemory());
        edges.add(() -> each("operators' connections half open", "operators", operatorLinks(), NatsProxy::strand));
        return edges;
    }

    private Duration fewSeconds() {
        return Duration.ofMillis(2000 + random.nextInt(6000));
    }

    private void killOperator(Operators.Seat seat, String fault, Duration dead) {
        seat.held().set(true);
        platform.faults.run(fault, seat.process().name(), Effect.NOTHING, () -> {
            seat.process().kill();
            Patience.sleep(dead);
        });
        seat.process().start();
        seat.held().set(false);
    }

    private void stopLeader() {
        final Operators.Seat leader = platform.operators.leader(random);
        platform.faults.run("leader stopped past its lease", leader.process().name(), Effect.NOTHING, () -> {
            leader.process().suspend();
            Patience.sleep(PAST_LEASE);
            leader.process().resume();
        });
    }

    private void killNats(Duration dead) {
        platform.faults.run(
                dead.isZero() ? "NATS killed" : "NATS killed past the ack wait", "nats-server", Effect.NOTHING, () -> {
                    platform.nats.kill();
                    Patience.sleep(dead);
                    Patience.until("starting NATS", () -> {
                        platform.nats.start();
                        return true;
                    });
                });
    }

    private void freezeNats() {
        platform.faults.run("NATS frozen past the ack wait", "all", Effect.NOTHING, () -> {
            final List<NatsProxy> links = allLinks();
            links.forEach(NatsProxy::freeze);
            Patience.sleep(PAST_ACK_WAIT);
            links.forEach(NatsProxy::resume);
        });
    }

    private void killApiServer() {
        platform.faults.run("API server killed", "etcd and kube-apiserver", Effect.NOTHING, () -> {
            platform.cluster.server().kill();
            Patience.until("starting the API server", () -> {
                platform.cluster.server().start();
                return true;
            });
        });
    }

    private void loseStatusAnswers() {
        atApi("answers of status writes lost", STATUS, new Fault.AnswerLost(), Duration.ofSeconds(2));
    }

    private void refuseStatusWrites() {
        final int status = List.of(409, 429, 500).get(random.nextInt(3));
        atApi("status writes answered " + status, STATUS, new Fault.Answer(status), AWHILE);
    }

    private void atApi(String fault, Predicate<ApiRequest> which, Fault injected, Duration time) {
        platform.faults.run(fault, "operators", Effect.NOTHING, () -> {
            final List<Injection> injections =
                    proxies().map(proxy -> proxy.each(which, injected)).toList();
            Patience.sleep(time);
            injections.forEach(Injection::close);
        });
    }

    private void holdWatches() {
        platform.faults.run("watches held", "operators", Effect.NOTHING, () -> {
            proxies().forEach(KubernetesProxy::holdWatches);
            Patience.sleep(PAST_ACK_WAIT);
            proxies().forEach(KubernetesProxy::resumeWatches);
        });
    }

    private void loseAnswers(String fault, String subject, List<NatsProxy> links) {
        each(fault, subject, links, link -> link.at(1, subject, new Fault.AnswerLost()));
    }

    private void each(
            String fault, String target, List<NatsProxy> links, java.util.function.Consumer<NatsProxy> action) {
        platform.faults.run(fault, target, Effect.NOTHING, () -> links.forEach(action));
    }

    private void purgeStream() {
        loseStream("stream purged", (management, stream) -> management.purgeStream(stream));
    }

    private void deleteStream() {
        loseStream("stream deleted", (management, stream) -> management.deleteStream(stream));
    }

    @FunctionalInterface
    private interface Loss {
        void of(JetStreamManagement management, String stream) throws IOException, JetStreamApiException;
    }

    /** The pool's workers are out of reach for a while before: an idle pool's stream has nothing to lose. */
    private void loseStream(String fault, Loss loss) {
        final String pool = Platform.LOSSY_POOLS.get(random.nextInt(Platform.LOSSY_POOLS.size()));
        final String stream = Subjects.poolStream(platform.namespace, pool);
        final List<NatsProxy> links = platform.workers.linksOf(pool);
        platform.faults.run(fault, stream, Effect.NOTHING, () -> {
            links.forEach(NatsProxy::freeze);
            Patience.sleep(PAST_ACK_WAIT);
            Patience.until(fault, () -> {
                final JetStreamManagement management = platform.connection.jetStreamManagement();
                lost.addAndGet(management.getStreamInfo(stream).getStreamState().getMsgCount());
                loss.of(management, stream);
                return true;
            });
            links.forEach(NatsProxy::resume);
        });
    }

    /** Messages that stood in streams when they were purged or deleted. */
    long lost() {
        return lost.get();
    }

    private Stream<KubernetesProxy> proxies() {
        return platform.operators.seats().stream().map(Operators.Seat::kubernetes);
    }

    private List<NatsProxy> operatorLinks() {
        return platform.operators.seats().stream().map(Operators.Seat::nats).toList();
    }

    private List<NatsProxy> workerLinks() {
        return Platform.ALL_POOLS.stream()
                .flatMap(pool -> platform.workers.linksOf(pool).stream())
                .toList();
    }

    private List<NatsProxy> allLinks() {
        return Stream.concat(operatorLinks().stream(), workerLinks().stream()).toList();
    }
}
