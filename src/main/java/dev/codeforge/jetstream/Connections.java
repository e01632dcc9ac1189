package dev.codeforge.jetstream;

import dev.codeforge.wire.LedgerKey;
import dev.codeforge.wire.LedgerRecord;
import dev.codeforge.wire.SessionKey;
import dev.codeforge.wire.SessionRecord;
import java.time.Instant;

/** What the operator does in NATS, over its one connection, in the account of the streams. */
public interface Connections extends AutoCloseable {
    TaskQueue queue();

    PoolStreams poolStreams();

    Results results();

    WorkerControl workers();

    DeadLetters deadLetters();

    /**
     * Who claimed an idempotency key and how its task ended, by {@link LedgerKey}; kept for 30 days after the last write, which is
     * repeated while a task with the key is there.
     */
    CasBucket<LedgerRecord> ledger();

    /** Whose turn it is in each session and where it stands, by {@link SessionKey}; kept for 30 days after the last write. */
    CasBucket<SessionRecord> sessions();

    /** Which release works here, by installation. */
    CasBucket<String> releases();

    PoolConfigs configs();

    Files files();

    Advisories advisories();

    RequestReply requests();

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
