/**
 * The messages between operator and workers: tasks, events and their proofs. No client, no Kubernetes. The Python
 * worker implements the same messages, and the golden messages under {@code schemas/} keep both in step.
 */
@NullMarked
package dev.codeforge.wire;

import org.jspecify.annotations.NullMarked;
