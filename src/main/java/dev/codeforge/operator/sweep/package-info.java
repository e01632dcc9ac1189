/** A look at all unfinished tasks at once, for what no event told. */
@NullMarked
package dev.codeforge.operator.sweep;

import org.jspecify.annotations.NullMarked;
