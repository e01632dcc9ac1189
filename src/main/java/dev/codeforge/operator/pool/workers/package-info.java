/** The workers of a pool: how their Deployment and its pods are built, and what state they and Kubernetes report. */
@NullMarked
package dev.codeforge.operator.pool.workers;

import org.jspecify.annotations.NullMarked;
