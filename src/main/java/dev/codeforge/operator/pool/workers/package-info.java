/** The workers of a pool: how their Deployment and its pods are built, and what they and Kubernetes say of how they are. */
@NullMarked
package dev.codeforge.operator.pool.workers;

import org.jspecify.annotations.NullMarked;
