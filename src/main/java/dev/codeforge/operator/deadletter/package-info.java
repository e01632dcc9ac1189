/**
 * Removes messages that no worker will run again, visibly: first a dead letter, then the task's outcome, then the
 * removal.
 */
@NullMarked
package dev.codeforge.operator.deadletter;

import org.jspecify.annotations.NullMarked;
