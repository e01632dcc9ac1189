package dev.codeforge.jetstream;

import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionRecord;
import dev.codeforge.wire.Subjects;
import java.time.Instant;

/** {@link Connections} over jnats. */
public final class NatsConnections implements Connections {
    private final NatsConnection nats;
    private final TaskQueue queue;
    private final PoolStreams poolStreams;
    private final Results results;
    private final WorkerControl workers;
    private final DeadLetters deadLetters;
    private final CasBucket<LedgerRecord> ledger;
    private final CasBucket<SessionRecord> sessions;
    private final CasBucket<String> releases;
    private final PoolConfigs configs;
    private final Files files;
    private final Advisories advisories;
    private final RequestReply requests;

    /** Returns at once; the connection is made in the background and reconnects for ever. */
    public NatsConnections(NatsAccess endpoint, String installation) {
        this.nats = new NatsConnection(endpoint, "codeforge-operator");
        this.queue = new NatsTaskQueue(nats);
        this.poolStreams = new PoolStreams(nats);
        final SharedStreams streams = new SharedStreams(nats, installation);
        this.results = new NatsResults(nats, streams);
        this.workers = new NatsWorkerControl(nats);
        this.deadLetters = new DeadLetters(nats);
        this.ledger = new CasBucket<>(nats, CasBucket.LEDGER);
        this.sessions = new CasBucket<>(nats, CasBucket.SESSIONS);
        this.releases = new CasBucket<>(nats, CasBucket.RELEASES);
        this.configs = new PoolConfigs(nats);
        this.files = new Files(nats);
        this.advisories = new Advisories(nats, streams);
        this.requests = new RequestReply(nats, installation);
    }

    @Override
    public TaskQueue queue() {
        return queue;
    }

    @Override
    public PoolStreams poolStreams() {
        return poolStreams;
    }

    @Override
    public Results results() {
        return results;
    }

    @Override
    public WorkerControl workers() {
        return workers;
    }

    @Override
    public DeadLetters deadLetters() {
        return deadLetters;
    }

    @Override
    public CasBucket<LedgerRecord> ledger() {
        return ledger;
    }

    @Override
    public CasBucket<SessionRecord> sessions() {
        return sessions;
    }

    @Override
    public CasBucket<String> releases() {
        return releases;
    }

    @Override
    public PoolConfigs configs() {
        return configs;
    }

    @Override
    public Files files() {
        return files;
    }

    @Override
    public Advisories advisories() {
        return advisories;
    }

    @Override
    public RequestReply requests() {
        return requests;
    }

    /** The clock of the leader of the stream of events, which stamps them. */
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
