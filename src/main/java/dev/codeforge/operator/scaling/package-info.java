/** How many workers a pool should have, by pure functions of samples and time, and how it comes to that number. */
@NullMarked
package dev.codeforge.operator.scaling;

import org.jspecify.annotations.NullMarked;
