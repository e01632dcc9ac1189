/** How the workers of pools sign in to NATS, for each setting that says who creates their users. */
@NullMarked
package dev.codeforge.operator.pool.access;

import org.jspecify.annotations.NullMarked;
