/** Pools: how one is observed, decided on, served and ended, and what is remembered of it. */
@NullMarked
package dev.codeforge.operator.pool;

import org.jspecify.annotations.NullMarked;
