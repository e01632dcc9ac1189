/** Tasks. Each reconcile observes, plans, executes and writes the status; the planner makes every decision. */
@NullMarked
package dev.codeforge.operator.task;

import org.jspecify.annotations.NullMarked;
