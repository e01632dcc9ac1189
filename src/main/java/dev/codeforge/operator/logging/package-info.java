/** Log lines of reconciles: fields for the resource, and failures. */
@NullMarked
package dev.codeforge.operator.logging;

import org.jspecify.annotations.NullMarked;
