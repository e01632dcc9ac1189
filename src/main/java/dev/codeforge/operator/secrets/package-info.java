/** Secrets that the operator makes for itself, once, and that survive its upgrades. */
@NullMarked
package dev.codeforge.operator.secrets;

import org.jspecify.annotations.NullMarked;
