/**
 * The soak: tasks at a steady rate while operators, workers, NATS and the API server are killed at random, then a check of
 * every promise on what was left behind. {@code hack/soak} runs it.
 */
@NullMarked
package dev.codeforge.soak;

import org.jspecify.annotations.NullMarked;
