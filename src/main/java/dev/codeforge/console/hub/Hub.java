package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams;
import dev.codeforge.jetstream.LiveStreams.Entry;
import dev.codeforge.wire.TaskRef;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes on what changes to whom it concerns. What is told here changes the memory and fills the clients' queues, under one
 * lock and without waiting for anybody; the queues are sent every {@link #FLUSH}. What was before a client came is read on a
 * thread of its subscription, which waits for the client.
 */
public final class Hub implements LiveStreams.Listener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    /** Many messages share a frame then, and nobody sees the difference. */
    private static final Duration FLUSH = Duration.ofMillis(50);

    public static final Duration HEARTBEAT = Duration.ofSeconds(15);

    private final LiveStreams streams;
    private final Limits limits;
    private final Traffic traffic;
    private final Clock clock;
    private final Map<String, Shelf> shelves = new HashMap<>();
    private final Map<String, Item> tasksByUid = new HashMap<>();
    private final Map<TaskRef, LogTail> logs = new HashMap<>();
    private final EarlyEvents early = new EarlyEvents();
    private final Tail events = new Tail();
    private final StreamReader eventReader;
    private final Set<Client> clients = ConcurrentHashMap.newKeySet();
    private final CountDownLatch filled = new CountDownLatch(1);
    private final ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("live-flush").daemon().factory());
    private volatile boolean closed;

    public Hub(LiveStreams streams, Limits limits, Traffic traffic, Clock clock) {
        this.streams = streams;
        this.limits = limits;
        this.traffic = traffic;
        this.clock = clock;
        this.eventReader = StreamReader.ofEvents(streams);
    }

    public void start() {
        streams.listen(this);
        timer.scheduleWithFixedDelay(this::flush, FLUSH.toMillis(), FLUSH.toMillis(), TimeUnit.MILLISECONDS);
        timer.scheduleWithFixedDelay(this::beat, HEARTBEAT.toMillis(), HEARTBEAT.toMillis(), TimeUnit.MILLISECONDS);
    }

    // ---- what the API server tells

    /** All that is there has been put: snapshots are whole from now on. */
    public void filled() {
        filled.countDown();
    }

    public synchronized void put(Item item) {
        final Shelf shelf = shelf(item.namespace());
        final Optional<Item> before = shelf.put(item);
        before.ifPresent(this::forgetUid);
        if (item.kind() == Item.Kind.TASK) {
            tasksByUid.put(item.uid(), item);
        }
        shelf.subscriptions().forEach(subscription -> subscription.change(before, Optional.of(item)));
        early.of(item.uid()).forEach(event -> passOn(event, Request::isOfSomeTasks));
    }

    public synchronized void remove(Item item) {
        final Shelf shelf = shelf(item.namespace());
        shelf.remove(item).ifPresent(before -> {
            forgetUid(before);
            shelf.subscriptions().forEach(subscription -> subscription.change(Optional.of(before), Optional.empty()));
        });
        tidy(item.namespace());
    }

    private void forgetUid(Item item) {
        tasksByUid.remove(item.uid(), item);
    }

    private Shelf shelf(String namespace) {
        return shelves.computeIfAbsent(namespace, name -> new Shelf());
    }

    private void tidy(String namespace) {
        if (shelf(namespace).isEmpty()) {
            shelves.remove(namespace);
        }
    }

    // ---- what NATS tells

    @Override
    public void connected() {
        readers.submit(this::followEvents);
        logTails().forEach(log -> readers.submit(() -> follow(log)));
    }

    private synchronized List<LogTail> logTails() {
        return List.copyOf(logs.values());
    }

    @Override
    public synchronized void event(Entry event) {
        hear(events, event, this::passOn, this::followEvents);
    }

    @Override
    public synchronized void line(Entry line) {
        final LogTail log = logs.get(line.task());
        if (log != null) {
            hear(log.tail(), line, heard -> passOn(log, heard), () -> follow(log));
        }
    }

    private void hear(Tail tail, Entry entry, Consumer<Entry> passOn, Runnable follow) {
        switch (tail.hear(entry)) {
            case NEXT -> passOn.accept(entry);
            case GAP -> {
                traffic.gap();
                readers.submit(follow);
            }
            case KNOWN -> {}
        }
    }

    private void passOn(Entry event) {
        passOn(event, request -> true);
    }

    private void passOn(Entry event, Predicate<Request> to) {
        final Shelf shelf = shelves.get(event.task().namespace());
        if (shelf == null || shelf.subscriptions().isEmpty()) {
            return;
        }
        final Item task = tasksByUid.get(event.task().id());
        if (task == null) {
            early.keep(event);
        }
        final Optional<Message.Body> body = Message.event(event);
        if (body.isEmpty()) {
            return;
        }
        shelf.subscriptions().stream()
                .filter(subscription -> subscription.hearsEvent(event.sequence()))
                .filter(subscription -> to.test(subscription.request()) && concerns(subscription.request(), event))
                .forEach(subscription -> subscription.client().offer(body.get().to(subscription.request())));
    }

    private boolean concerns(Request request, Entry event) {
        final Item task = tasksByUid.get(event.task().id());
        // What another pool writes under a task's id is not the task's.
        final boolean own = task == null || task.pool().equals(event.task().pool());
        return own
                && request.isOfPool(event.task().pool())
                && (!request.isOfSomeTasks() || (task != null && request.isAbout(task)));
    }

    private static void passOn(LogTail log, Entry line) {
        Message.line(line).ifPresent(body -> log.subscriptions().stream()
                .filter(subscription -> subscription.hearsLine(line.sequence()))
                .forEach(subscription -> subscription.client().offer(body.to(subscription.request()))));
    }

    private void followEvents() {
        follow(events, eventReader, this::passOn);
    }

    private void follow(LogTail log) {
        follow(log.tail(), log.reader(), line -> passOn(log, line));
    }

    /** Reads what was missed and passes it on, until what is heard follows. */
    private void follow(Tail tail, StreamReader reader, Consumer<Entry> passOn) {
        try {
            synchronized (this) {
                tail.beginReading();
            }
            final long end = reader.last(() -> closed);
            synchronized (this) {
                // Less than before: somebody has made the stream anew.
                if (!tail.isKnown() || end < tail.last()) {
                    tail.begin(end);
                }
            }
            boolean missing = true;
            while (missing) {
                final long after = lastOf(tail);
                final List<Entry> page = reader.after(after, () -> closed);
                synchronized (this) {
                    page.stream().filter(tail::read).forEach(passOn);
                    missing = !page.isEmpty() || !tail.endReading();
                }
                if (page.isEmpty() && missing) {
                    Thread.sleep(StreamReader.BEHIND);
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("reading ends: {}", e.getMessage());
        }
    }

    // ---- what clients want

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

    /** Opens a subscription that the caller may have; what it begins with is sent from a thread of its own. */
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
        readers.submit(() -> new Opening(this, eventReader, subscription).run());
    }

    /** Ends a subscription because of this. */
    public void end(Client client, String id, Refusal refusal, String sentence) {
        if (unsubscribe(client, id)) {
            client.offer(Message.error(id, refusal, sentence));
        }
    }

    /** @return whether there was one */
    public boolean unsubscribe(Client client, String id) {
        final Subscription subscription = client.subscriptions().remove(id);
        if (subscription == null) {
            return false;
        }
        leave(subscription);
        return true;
    }

    private synchronized void leave(Subscription subscription) {
        subscription.end();
        final String namespace = subscription.request().namespace();
        shelf(namespace).subscriptions().remove(subscription);
        tidy(namespace);
        logs.values().forEach(log -> log.subscriptions().remove(subscription));
        final List<LogTail> unwatched = logs.values().stream()
                .filter(log -> log.subscriptions().isEmpty())
                .toList();
        unwatched.forEach(log -> {
            logs.remove(log.task());
            // Under the lock: who watches the same task next subscribes after this.
            streams.leaveLines(log.task());
        });
    }

    /** It hears from now on what changes behind its snapshot. */
    synchronized void register(Subscription subscription) {
        if (!subscription.isOver()) {
            shelf(subscription.request().namespace()).subscriptions().add(subscription);
        }
    }

    /** The lines of the named task; empty when there is no such task. */
    synchronized Optional<LogTail> watch(Subscription subscription) {
        final Request request = subscription.request();
        final Optional<Item> task = request.task().flatMap(shelf(request.namespace())::task);
        if (task.isEmpty() || subscription.isOver()) {
            return Optional.empty();
        }
        final TaskRef ref =
                new TaskRef(request.namespace(), task.get().pool(), task.get().uid());
        LogTail log = logs.get(ref);
        if (log == null) {
            log = new LogTail(ref, StreamReader.ofLines(streams, ref));
            logs.put(ref, log);
            final LogTail first = log;
            readers.submit(() -> begin(first));
        }
        log.subscriptions().add(subscription);
        return Optional.of(log);
    }

    private void begin(LogTail log) {
        try {
            StreamReader.patiently(
                    () -> {
                        streams.watchLines(log.task());
                        return log;
                    },
                    () -> !isWatched(log));
            if (isWatched(log)) {
                follow(log);
            } else {
                streams.leaveLines(log.task());
            }
        } catch (InterruptedException e) {
            LOG.debug("nobody watches the lines of {} any more", log.task().id());
        }
    }

    private synchronized boolean isWatched(LogTail log) {
        return !closed && logs.get(log.task()) == log;
    }

    void awaitFilled() throws InterruptedException {
        filled.await();
    }

    /** Sends the next item of the snapshot. @return false when it was the last */
    synchronized boolean showNext(Subscription subscription) {
        final Request request = subscription.request();
        final Optional<Item> next = shelf(request.namespace()).after(subscription.shown(), request);
        next.ifPresentOrElse(subscription::show, subscription::showedAll);
        return next.isPresent() && !subscription.isOver();
    }

    Tail events() {
        return events;
    }

    /**
     * Hears with everybody from now on, if it is as far as they are.
     *
     * @param position what it has read; empty to begin where they are
     * @return the position from which on it hears
     */
    synchronized OptionalLong join(
            Subscription subscription, Tail tail, OptionalLong position, ObjLongConsumer<Subscription> hear) {
        if (!tail.isKnown() || position.orElse(tail.last()) < tail.last()) {
            return OptionalLong.empty();
        }
        final long from = position.orElse(tail.last());
        hear.accept(subscription, from);
        return OptionalLong.of(from);
    }

    private synchronized long lastOf(Tail tail) {
        return tail.last();
    }

    synchronized void sendEvent(Subscription subscription, Entry event) {
        final Request request = subscription.request();
        if (event.task().namespace().equals(request.namespace()) && concerns(request, event)) {
            Message.event(event).ifPresent(body -> subscription.client().offer(body.to(request)));
        }
    }

    static void sendLine(Subscription subscription, Entry line) {
        Message.line(line).ifPresent(body -> subscription.client().offer(body.to(subscription.request())));
    }

    // ---- by the clock

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

    /** The end of a stream that was missed has nothing after it that shows the gap: it is asked for. */
    private void beat() {
        clients.forEach(client -> client.offer(Message.heartbeat(clock.instant())));
        if (streams.isConnected()) {
            connected();
        }
    }

    @Override
    public void close() {
        clients.forEach(client -> client.close(Closing.STOPPING));
        closed = true;
        timer.shutdownNow();
        readers.shutdownNow();
    }
}
