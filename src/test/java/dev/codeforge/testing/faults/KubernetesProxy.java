package dev.codeforge.testing.faults;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * Plain HTTP before the API server: counts writes, and does to chosen requests what a {@link Fault} says. Watches pass as
 * WebSockets or in chunks, and can be held back. Other connections of the same client do not feel a fault.
 */
public final class KubernetesProxy implements AutoCloseable {
    private final Config server;
    private final ProxyPort port;
    private final List<ApiWrite> writes = new CopyOnWriteArrayList<>();
    private final Injections<ApiRequest> injections = new Injections<>();
    private final Gate watches = new Gate();
    private final Gate everything = new Gate();
    private volatile Optional<String> past = Optional.empty();

    /** @param server how to reach the API server: URL and token */
    public KubernetesProxy(Config server) {
        this.server = server;
        final URI url = URI.create(server.getMasterUrl());
        this.port = new ProxyPort(connection -> new KubernetesExchange(this, url, connection).serve());
    }

    public String url() {
        return "http://127.0.0.1:" + port.number();
    }

    /** For a client of the test that shall meet the faults too. */
    public Config config() {
        return new ConfigBuilder(Config.empty())
                .withMasterUrl(url())
                .withOauthToken(server.getOauthToken())
                .build();
    }

    /** For a process: the content of a kubeconfig file. */
    public String kubeconfig() {
        return Serialization.asYaml(Map.of(
                "apiVersion",
                "v1",
                "kind",
                "Config",
                "clusters",
                List.of(Map.of("name", "proxy", "cluster", Map.of("server", url()))),
                "users",
                List.of(Map.of("name", "admin", "user", Map.of("token", server.getOauthToken()))),
                "contexts",
                List.of(Map.of("name", "test", "context", Map.of("cluster", "proxy", "user", "admin"))),
                "current-context",
                "test"));
    }

    /** The nth request of this kind from now on, counted from 1, meets the fault. */
    public Injection at(int nth, Predicate<ApiRequest> which, Fault fault) {
        return injections.at(nth, nth, which, fault);
    }

    /** Each request of this kind meets the fault until the injection is closed. */
    public Injection each(Predicate<ApiRequest> which, Fault fault) {
        return injections.at(1, Integer.MAX_VALUE, which, fault);
    }

    /** All writes that were asked for, in the order of their answers. */
    public List<ApiWrite> writes() {
        return List.copyOf(writes);
    }

    /** Writes of this kind that the server did. */
    public long done(Predicate<ApiRequest> which) {
        return writes.stream()
                .filter(write -> write.isDone() && which.test(write.request()))
                .count();
    }

    /** Watches stand still: their events are kept until {@link #resumeWatches}. New watches open, and stand still too. */
    public void holdWatches() {
        watches.close();
    }

    public void resumeWatches() {
        watches.open();
    }

    /**
     * An API server that lags: lists are as they were at this resource version, and watches tell nothing newer, until
     * {@link #catchUp}. Reads of single objects and writes are not late, as with a real one.
     */
    public void lagBehind(String resourceVersion) {
        past = Optional.of(resourceVersion);
        holdWatches();
    }

    public void catchUp() {
        past = Optional.empty();
        resumeWatches();
    }

    HttpHead late(HttpHead head) {
        return past.filter(version -> head.request().isList()).map(head::asOf).orElse(head);
    }

    /** A network that swallows everything, without ending a connection, until {@link #resume}. Nothing is lost. */
    public void freeze() {
        everything.close();
    }

    public void resume() {
        everything.open();
    }

    public void cut() {
        port.cut();
    }

    /** New connections are reset until {@link #accept}. */
    public void refuse() {
        port.refuse();
    }

    public void accept() {
        port.accept();
    }

    Gate gateOf(ApiRequest request) {
        return request.isWatch() ? watches : everything;
    }

    Gate everything() {
        return everything;
    }

    Optional<Fault> faultFor(ApiRequest request) {
        return injections.next(request);
    }

    void record(ApiRequest request, int status) {
        if (request.isWrite()) {
            writes.add(new ApiWrite(Instant.now(), request, status));
        }
    }

    @Override
    public void close() {
        port.close();
        resumeWatches();
        resume();
    }
}
