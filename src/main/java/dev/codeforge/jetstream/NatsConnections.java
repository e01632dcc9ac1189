package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import java.time.Instant;

/** {@link Connections} with one account for all namespaces. */
public final class NatsConnections implements Connections {
    private final NatsConnection nats;
    private final TaskQueue queue;
    private final Results results;
    private final Control control;
    private final WorkerControl workers;
    private final DeadLetters deadLetters;
    private final Ledger ledger;
    private final Sessions sessions;
    private final PoolConfigs configs;
    private final Files files;
    private final Advisories advisories;
    private final RequestReply requests;

    /** Returns at once; the connection is made in the background and for ever made again. */
    public NatsConnections(NatsAccess endpoint, String installation) {
        this.nats = new NatsConnection(endpoint, "codeforge-operator");
        this.queue = new NatsTaskQueue(nats);
        final SharedStreams streams = new SharedStreams(nats, installation);
        this.results = new NatsResults(nats, streams);
        this.control = new NatsControl(nats);
        this.workers = new NatsWorkerControl(nats);
        this.deadLetters = new NatsDeadLetters(nats);
        this.ledger = new NatsLedger(nats);
        this.sessions = new NatsSessions(nats);
        this.configs = new NatsPoolConfigs(nats);
        this.files = new NatsFiles(nats);
        this.advisories = new NatsAdvisories(nats, streams);
        this.requests = new NatsRequestReply(nats, installation);
    }

    @Override
    public TaskQueue queue(String namespace) {
        return queue;
    }

    @Override
    public Results results(String namespace) {
        return results;
    }

    @Override
    public Control control(String namespace) {
        return control;
    }

    @Override
    public WorkerControl workers(String namespace) {
        return workers;
    }

    @Override
    public DeadLetters deadLetters(String namespace) {
        return deadLetters;
    }

    @Override
    public Ledger ledger(String namespace) {
        return ledger;
    }

    @Override
    public Sessions sessions(String namespace) {
        return sessions;
    }

    @Override
    public PoolConfigs configs(String namespace) {
        return configs;
    }

    @Override
    public Files files(String namespace) {
        return files;
    }

    @Override
    public Advisories advisories(String namespace) {
        return advisories;
    }

    @Override
    public RequestReply requests(String namespace) {
        return requests;
    }

    /** Of the server that leads the stream of events: it is the one that stamps them. */
    @Override
    public Instant time() {
        return nats.ask(management -> management.getStreamInfo(Subjects.EVENTS_STREAM))
                .getTimestamp()
                .toInstant();
    }

    @Override
    public boolean isConnected() {
        return nats.isConnected();
    }

    @Override
    public int connects() {
        return nats.connects();
    }

    @Override
    public void onConnect(Runnable action) {
        nats.onConnect(action);
    }

    @Override
    public boolean isLost() {
        return nats.isLost();
    }

    @Override
    public void close() {
        nats.close();
    }
}
