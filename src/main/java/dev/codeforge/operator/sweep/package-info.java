/** Periodic checks for what no event reported: lost messages, orphans, leftovers. */
@NullMarked
package dev.codeforge.operator.sweep;

import org.jspecify.annotations.NullMarked;
