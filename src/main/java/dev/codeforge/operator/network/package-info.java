/** Which servers a pool's workers may connect to, as a NetworkPolicy can say it: pure functions of the pool. */
@NullMarked
package dev.codeforge.operator.network;

import org.jspecify.annotations.NullMarked;
