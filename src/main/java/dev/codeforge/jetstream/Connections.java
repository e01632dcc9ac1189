package dev.codeforge.jetstream;

import java.time.Instant;

/**
 * The connection that serves a namespace. Today every namespace has the operator's own; asking by namespace from the
 * first day lets one bring its own account later.
 */
public interface Connections extends AutoCloseable {
    TaskQueue queue(String namespace);

    /** Events of the namespace's tasks. */
    Results results(String namespace);

    Control control(String namespace);

    WorkerControl workers(String namespace);

    DeadLetters deadLetters(String namespace);

    /** Idempotency keys of the namespace's tasks. */
    Ledger ledger(String namespace);

    /** Sessions of the namespace's tasks. */
    Sessions sessions(String namespace);

    /** Settings of the namespace's pools. */
    PoolConfigs configs(String namespace);

    /** Files of the namespace's pools. */
    Files files(String namespace);

    Advisories advisories(String namespace);

    /** Requests for tasks of the namespace. */
    RequestReply requests(String namespace);

    /**
     * What time NATS has right now: the clock of all that it stores.
     *
     * @throws QueueUnavailableException when it does not answer
     */
    Instant time();

    /** True while the server is connected. */
    boolean isConnected();

    /** How often the server was connected to: after another time it may have lost what it knew. */
    int connects();

    /** Calls {@code action} each time the server is connected to, on a thread of its own. */
    void onConnect(Runnable action);

    /** True when the connection is closed for good, as after credentials were refused: only a new process helps. */
    boolean isLost();

    @Override
    void close();
}
