/** What the operator counts and measures for Prometheus; docs/metrics.md describes each metric. */
@NullMarked
package dev.codeforge.operator.metrics;

import org.jspecify.annotations.NullMarked;
