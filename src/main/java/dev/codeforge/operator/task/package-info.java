/**
 * Tasks. Each reconcile observes, plans, executes, writes the status and announces it; the planner makes every decision.
 * {@code admission} is what comes before an attempt, {@code status} is what the status says, {@code loss} is why a worker is
 * lost.
 */
@NullMarked
package dev.codeforge.operator.task;

import org.jspecify.annotations.NullMarked;
