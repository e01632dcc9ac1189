/**
 * What travels between operator and workers: messages, events and their proofs. No client, no Kubernetes; the same text
 * is implemented by the Python worker and held together by the golden messages under {@code schemas/}.
 */
@NullMarked
package dev.codeforge.wire;

import org.jspecify.annotations.NullMarked;
