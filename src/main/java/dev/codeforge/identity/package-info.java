/**
 * Identities on a NATS server in operator mode: keys, all derived from one secret, and the JWTs with the rights of
 * accounts and users, by {@code reach.json}. No connection and no Kubernetes.
 */
@NullMarked
package dev.codeforge.identity;

import org.jspecify.annotations.NullMarked;
