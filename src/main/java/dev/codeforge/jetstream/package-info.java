/**
 * The only package that talks to NATS. {@code Connections} is the entry point, and each of its parts has one concern; a
 * part is an interface only where a test replaces it. They are built on {@code NatsConnection}, {@code StreamMessages}
 * (reads from the leader, where absence is reliable), {@code DirectGet} (reads from any replica) and {@code
 * JetStreamErrors}; {@code SharedStreams} and {@code StreamKeeper} create the streams.
 */
@NullMarked
package dev.codeforge.jetstream;

import org.jspecify.annotations.NullMarked;
