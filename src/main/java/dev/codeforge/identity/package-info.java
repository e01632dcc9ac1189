/**
 * Who is who in a NATS server in operator mode: keys that are all derived from one secret, and the JWTs that say what an
 * account or a user may reach, by {@code reach.json}. No connection and no Kubernetes.
 */
@NullMarked
package dev.codeforge.identity;

import org.jspecify.annotations.NullMarked;
