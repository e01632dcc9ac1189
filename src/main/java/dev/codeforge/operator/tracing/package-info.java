/** The operator's part of each task's trace. No other package imports OpenTelemetry. */
@NullMarked
package dev.codeforge.operator.tracing;

import org.jspecify.annotations.NullMarked;
