/** Events of tasks: those of workers as an event source of the task reconciler, and those that the operator writes in their place. */
@NullMarked
package dev.codeforge.operator.results;

import org.jspecify.annotations.NullMarked;
