/** The clocks for deadlines: one for each machine that stamps times. */
@NullMarked
package dev.codeforge.operator.time;

import org.jspecify.annotations.NullMarked;
