/** Adapters and workarounds for Java Operator SDK and fabric8. */
@NullMarked
package dev.codeforge.operator.framework;

import org.jspecify.annotations.NullMarked;
