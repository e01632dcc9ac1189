package dev.codeforge.jetstream;

import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionKey;
import dev.codeforge.wire.SessionRecord;
import java.time.Instant;

/** The operator's access to NATS: one connection, in the account of the streams. */
public interface Connections extends AutoCloseable {
    TaskQueue queue();

    PoolStreams poolStreams();

    Results results();

    WorkerControl workers();

    DeadLetters deadLetters();

    /**
     * Owner and outcome of idempotency keys, by {@link LedgerKey}; kept for 30 days after the last write, which is repeated while a task
     * with the key exists.
     */
    CasBucket<LedgerRecord> ledger();

    /** Turn and conversation of sessions, by {@link SessionKey}; kept for 30 days after the last write. */
    CasBucket<SessionRecord> sessions();

    /** The active release, by installation. */
    CasBucket<String> releases();

    PoolConfigs configs();

    Files files();

    Advisories advisories();

    RequestReply requests();

    /**
     * The time of NATS' clock, which stamps all that it stores.
     *
     * @throws QueueUnavailableException when NATS does not answer
     */
    Instant time();

    /** True while the server is connected. */
    boolean isConnected();

    /** How often the connection was made. After a reconnect the server may have lost state. */
    int connects();

    /** Calls {@code action} after each connect, on a thread of its own. */
    void onConnect(Runnable action);

    /**
     * True when the client has closed the connection for good, for example after its credentials were refused. Only a
     * restart helps.
     */
    boolean isLost();

    @Override
    void close();
}
