package dev.codeforge.jetstream;

/** What the operator does in NATS, over its one connection, in the account of the streams. */
public interface Connections extends AutoCloseable {
    TaskQueue queue();

    Results results();

    Control control();

    WorkerControl workers();

    DeadLetters deadLetters();

    Ledger ledger();

    Sessions sessions();

    PoolConfigs configs();

    Files files();

    Advisories advisories();

    RequestReply requests();

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
