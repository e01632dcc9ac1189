/** What workers report of tasks, as an event source of the task reconciler. */
@NullMarked
package dev.codeforge.operator.results;

import org.jspecify.annotations.NullMarked;
