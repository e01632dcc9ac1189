/** What the workers of pools get into NATS with, by each way in which somebody may have handed it out. */
@NullMarked
package dev.codeforge.operator.pool.access;

import org.jspecify.annotations.NullMarked;
