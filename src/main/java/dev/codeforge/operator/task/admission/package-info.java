/**
 * Admission: what a task must have before an attempt of it is published. Its idempotency key is decided first, then the
 * turn of its session, then its place in a full queue.
 */
@NullMarked
package dev.codeforge.operator.task.admission;

import org.jspecify.annotations.NullMarked;
