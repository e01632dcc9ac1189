/** How many workers a pool should have: pure functions of samples and time. */
@NullMarked
package dev.codeforge.operator.scaling;

import org.jspecify.annotations.NullMarked;
