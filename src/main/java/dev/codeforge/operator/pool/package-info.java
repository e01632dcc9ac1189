/** Pools: the queue, the workers' Deployment, and how a pool ends. */
@NullMarked
package dev.codeforge.operator.pool;

import org.jspecify.annotations.NullMarked;
