/**
 * The only package that talks to NATS. {@code Connections} is the way in, and each of its parts is one concern; one of them is an
 * interface where a test puts something else in its place. {@code NatsConnection}, {@code StreamMessages} (reads of the leader,
 * whose absence is to be believed), {@code DirectGet} (reads of any replica) and {@code JetStreamErrors} are what they are made
 * of; {@code SharedStreams} and {@code StreamKeeper} make the streams.
 */
@NullMarked
package dev.codeforge.jetstream;

import org.jspecify.annotations.NullMarked;
