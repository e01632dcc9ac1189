/** Tasks: one reconcile reads observe, plan, execute, status; every decision is the planner's. */
@NullMarked
package dev.codeforge.operator.task;

import org.jspecify.annotations.NullMarked;
