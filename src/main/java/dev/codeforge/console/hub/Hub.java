package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.wire.TaskRef;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes changes to the clients that are subscribed to them. Incoming changes update the memory and the clients' queues
 * under one lock and never block; every {@link #FLUSH} the queues are sent. What a client missed is read on a thread of
 * its subscription, which waits for the client.
 */
public final class Hub implements LiveStreams.Listener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    /** Long enough for many messages to share a frame, short enough to be unnoticed. */
    private static final Duration FLUSH = Duration.ofMillis(50);

    public static final Duration HEARTBEAT = Duration.ofSeconds(15);

    private final LiveStreams streams;
    private final Limits limits;
    private final Traffic traffic;
    private final Clock clock;
    private final Object lock = new Object();
    private final Namespaces namespaces = new Namespaces();
    private final Feed events;
    private final Logs logs;
    private final Set<Client> clients = ConcurrentHashMap.newKeySet();
    private final CountDownLatch filled = new CountDownLatch(1);
    private final ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("live-flush").daemon().factory());

    public Hub(LiveStreams streams, Limits limits, Traffic traffic, Clock clock) {
        this.streams = streams;
        this.limits = limits;
        this.traffic = traffic;
        this.clock = clock;
        final Feed.Surroundings shared = new Feed.Surroundings(lock, readers, traffic, this::endAsTooOld);
        this.events = new Feed(shared, StreamReader.ofEvents(streams), Message::event, namespaces);
        this.logs = new Logs(streams, shared);
    }

    public void start() {
        streams.listen(this);
        timer.scheduleWithFixedDelay(this::flush, FLUSH.toMillis(), FLUSH.toMillis(), TimeUnit.MILLISECONDS);
        timer.scheduleWithFixedDelay(this::beat, HEARTBEAT.toMillis(), HEARTBEAT.toMillis(), TimeUnit.MILLISECONDS);
    }

    // ---- from the API server

    /** All existing objects are in memory: snapshots are complete from now on. */
    public void filled() {
        filled.countDown();
    }

    public void put(Item item) {
        synchronized (lock) {
            namespaces.put(item).ifPresent(this::endLog);
        }
    }

    public void remove(Item item) {
        synchronized (lock) {
            namespaces.remove(item).ifPresent(this::endLog);
        }
    }

    /**
     * Ends subscriptions to the lines of a task that was replaced: its successor has the same name and prints other
     * lines.
     */
    private void endLog(Item gone) {
        if (gone.kind() == Item.Kind.TASK) {
            namespaces
                    .readersOf(gone)
                    .forEach(subscription -> end(
                            subscription.client(),
                            subscription.request().id(),
                            Refusal.NotFound,
                            "AgentTask " + gone.namespace() + "/" + gone.name()
                                    + " was deleted: subscribe again when there is one of its name"));
        }
    }

    // ---- from NATS

    @Override
    public void connected() {
        events.follow();
        synchronized (lock) {
            logs.follow();
        }
    }

    @Override
    public void event(Entry event) {
        synchronized (lock) {
            events.hear(event);
        }
    }

    @Override
    public void line(Entry line) {
        synchronized (lock) {
            logs.hear(line);
        }
    }

    // ---- from clients

    public Client connect(Outlet outlet) {
        final Client client = new Client(outlet, limits.queueBytes(), traffic);
        clients.add(client);
        return client;
    }

    public void disconnect(Client client) {
        client.gone();
        clients.remove(client);
        client.subscriptions().keySet().forEach(id -> unsubscribe(client, id));
    }

    public Collection<Client> clients() {
        return List.copyOf(clients);
    }

    /** Opens an authorized subscription. Its snapshot is sent from a thread of its own. */
    public void subscribe(Client client, Request request) {
        if (client.subscriptions().size() >= limits.subscriptions()) {
            client.offer(Message.error(
                    request.id(),
                    Refusal.TooMany,
                    "a connection has at most " + limits.subscriptions() + " subscriptions: drop another one first"));
            return;
        }
        final Subscription subscription = new Subscription(client, request);
        if (client.subscriptions().putIfAbsent(request.id(), subscription) != null) {
            client.offer(Message.error(
                    request.id(),
                    Refusal.Invalid,
                    "there is a subscription of this id: drop it first, or use another"));
            return;
        }
        readers.submit(() -> new Opening(this, subscription).run());
    }

    /** Ends a subscription with this reason. */
    public void end(Client client, String id, Refusal refusal, String sentence) {
        if (unsubscribe(client, id)) {
            client.offer(Message.error(id, refusal, sentence));
        }
    }

    private void endAsTooOld(Subscription subscription) {
        end(
                subscription.client(),
                subscription.request().id(),
                Refusal.TooOld,
                "the stream was recreated and its sequences start again: subscribe with 0 for all that it has");
    }

    /** @return whether the subscription existed */
    public boolean unsubscribe(Client client, String id) {
        final Subscription subscription = client.subscriptions().remove(id);
        if (subscription == null) {
            return false;
        }
        synchronized (lock) {
            subscription.end();
            namespaces.leave(subscription);
            logs.leave(subscription);
        }
        return true;
    }

    // ---- steps of an opening, in this order

    void awaitFilled() throws InterruptedException {
        filled.await();
    }

    /** Subscribes to the lines of the named task; empty when there is no such task. */
    Optional<Reception> watch(Subscription subscription) {
        final Request request = subscription.request();
        synchronized (lock) {
            return request.task()
                    .filter(name -> !subscription.isOver())
                    .flatMap(name -> namespaces.task(request.namespace(), name))
                    .map(task -> logs.watch(subscription, new TaskRef(request.namespace(), task.pool(), task.uid())));
        }
    }

    Reception receiveEvents(Subscription subscription) {
        final Reception reception =
                new Reception(subscription, events, subscription.request().afterEvent());
        synchronized (lock) {
            if (!subscription.isOver()) {
                namespaces.add(reception);
            }
        }
        return reception;
    }

    /** From now on the subscription receives changes to the part of the snapshot that was sent. */
    void register(Subscription subscription) {
        synchronized (lock) {
            if (!subscription.isOver()) {
                namespaces.add(subscription);
            }
        }
    }

    /** Sends the next item of the snapshot. @return false when it was the last */
    boolean showNext(Subscription subscription) {
        synchronized (lock) {
            return namespaces.showNext(subscription);
        }
    }

    // ---- timers

    private void flush() {
        try {
            for (final Client client : clients) {
                client.flush();
                if (client.isClosed()) {
                    disconnect(client);
                }
            }
        } catch (RuntimeException e) {
            LOG.warn("not everything was sent", e);
        }
    }

    /** A missed end of a stream has no later entry that would reveal the gap, so the end is read regularly. */
    private void beat() {
        clients.forEach(client -> client.offer(Message.heartbeat(clock.instant())));
        if (streams.isConnected()) {
            connected();
        }
    }

    @Override
    public void close() {
        clients.forEach(client -> client.close(Closing.STOPPING));
        timer.shutdownNow();
        readers.shutdownNow();
    }
}
