/** Adapters to Java Operator SDK and fabric8, and what works around them. */
@NullMarked
package dev.codeforge.operator.framework;

import org.jspecify.annotations.NullMarked;
