/** The operator's part of each task's trace; the only package that knows OpenTelemetry. */
@NullMarked
package dev.codeforge.operator.tracing;

import org.jspecify.annotations.NullMarked;
