/** Takes messages that will never be run again out of the queue, visibly: a dead letter, the task's outcome, then removal. */
@NullMarked
package dev.codeforge.operator.deadletter;

import org.jspecify.annotations.NullMarked;
