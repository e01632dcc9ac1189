/** Secrets that the operator creates once for itself and that survive upgrades. */
@NullMarked
package dev.codeforge.operator.secrets;

import org.jspecify.annotations.NullMarked;
