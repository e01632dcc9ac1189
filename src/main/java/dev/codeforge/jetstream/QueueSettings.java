package dev.codeforge.jetstream;

import java.time.Duration;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A pool's stream and its one durable consumer, as wanted.
 *
 * @param subject taken as is and with one more token
 * @param inMemory memory storage instead of file
 * @param replicas copies; empty for 3 on a cluster of three or more servers, else 1
 * @param ackWait how long a worker may be silent
 * @param maxAckPending tasks that may run at once in the whole pool
 * @param paused hands out nothing while true
 * @param installation UID of the cluster, kept in the metadata
 */
public record QueueSettings(
        String stream,
        String subject,
        boolean inMemory,
        OptionalInt replicas,
        OptionalLong maxMessages,
        OptionalLong maxBytes,
        Duration ackWait,
        int maxAckPending,
        boolean paused,
        String installation) {}
