/** The operator: its start and its stop. The reconcilers live in the packages below. */
@NullMarked
package dev.codeforge.operator;

import org.jspecify.annotations.NullMarked;
