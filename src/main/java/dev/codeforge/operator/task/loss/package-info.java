/** Workers that are lost with a run, and why. */
@NullMarked
package dev.codeforge.operator.task.loss;

import org.jspecify.annotations.NullMarked;
