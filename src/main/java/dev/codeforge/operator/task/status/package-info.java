/** What the status of a task says, and why: transitions, reasons, conditions, usage and effective settings. */
@NullMarked
package dev.codeforge.operator.task.status;

import org.jspecify.annotations.NullMarked;
