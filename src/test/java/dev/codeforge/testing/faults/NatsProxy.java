package dev.codeforge.testing.faults;

import dev.codeforge.jetstream.NatsAccess;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * TCP before a nats-server: cuts, refuses or freezes all connections, and does to chosen publications what a {@link Fault}
 * says. Requests to JetStream's API and acknowledgements of deliveries are publications too.
 */
public final class NatsProxy implements AutoCloseable {
    private final NatsAccess.Password server;
    private final ProxyPort port;
    private final Injections<String> injections = new Injections<>();
    private final Map<String, AtomicLong> published = new ConcurrentHashMap<>();
    /** Of the connections that are made from now on, and of those since the last one was stranded. */
    private volatile Gate gate = new Gate();

    private final AtomicLong allowance = new AtomicLong(Long.MAX_VALUE);

    public NatsProxy(NatsAccess.Password server) {
        this.server = server;
        final URI url = URI.create(server.url());
        this.port = new ProxyPort(connection -> new NatsRelay(this, url, connection).serve());
    }

    /** The server by way of this proxy, as the same user. */
    public NatsAccess.Password endpoint() {
        return endpoint(server);
    }

    /** The server by way of this proxy, as another user. */
    public NatsAccess.Password endpoint(NatsAccess.Password user) {
        return new NatsAccess.Password("nats://127.0.0.1:" + port.number(), user.username(), user.password());
    }

    /**
     * The nth publication from now on whose subject is of this pattern, counted from 1, meets the fault. The answer that
     * {@link Fault.AnswerLost} and {@link Fault.Silence} take away is the PubAck, or whatever comes on its reply subject.
     *
     * @param subject with the wildcards of NATS
     */
    public Injection at(int nth, String subject, Fault fault) {
        return injections.at(nth, nth, matching(subject, fault), fault);
    }

    /** Each publication of this kind meets the fault until the injection is closed. */
    public Injection each(String subject, Fault fault) {
        return injections.at(1, Integer.MAX_VALUE, matching(subject, fault), fault);
    }

    private static Predicate<String> matching(String subject, Fault fault) {
        if (fault instanceof Fault.Answer) {
            throw new IllegalArgumentException("an HTTP status is no answer of NATS: use another fault");
        }
        return published -> NatsFrame.matches(subject, published);
    }

    /** Publications so far that went through, by this pattern. */
    public long published(String subject) {
        return published.entrySet().stream()
                .filter(entry -> NatsFrame.matches(subject, entry.getKey()))
                .mapToLong(entry -> entry.getValue().get())
                .sum();
    }

    /** Swallows everything both ways without ending a connection, until {@link #resume}. Nothing is lost. */
    public void freeze() {
        gate.close();
    }

    public void resume() {
        gate.open();
    }

    /**
     * Swallows everything on the connections that stand, for ever and without ending one, as when a node is gone or an address:
     * each end must find out by itself. New connections are served.
     */
    public void strand() {
        final Gate stranded = gate;
        gate = new Gate();
        stranded.close();
    }

    /** Ends all connections; clients may come again at once. */
    public void cut() {
        port.cut();
    }

    /** Ends all connections after so many more bytes from clients, in the middle of a message as it may be. */
    public void cutAfter(long bytes) {
        allowance.set(bytes);
    }

    /** New connections are reset until {@link #accept}; those that stand are left. */
    public void refuse() {
        port.refuse();
    }

    public void accept() {
        port.accept();
    }

    Gate gate() {
        return gate;
    }

    Optional<Fault> faultFor(String subject) {
        return injections.next(subject);
    }

    void passed(String subject) {
        published.computeIfAbsent(subject, unseen -> new AtomicLong()).incrementAndGet();
    }

    /** How many of so many bytes may pass before all connections are cut. */
    int allow(int bytes) {
        if (allowance.get() == Long.MAX_VALUE) {
            return bytes;
        }
        final long left = allowance.getAndAdd(-bytes);
        if (left > bytes) {
            return bytes;
        }
        allowance.set(Long.MAX_VALUE);
        return (int) Math.max(0, left);
    }

    @Override
    public void close() {
        port.close();
        resume();
    }
}
