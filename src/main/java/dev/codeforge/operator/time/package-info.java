/** The clocks that deadlines are judged by: one for each machine that stamps a time. */
@NullMarked
package dev.codeforge.operator.time;

import org.jspecify.annotations.NullMarked;
