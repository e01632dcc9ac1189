/** Which servers a pool's workers may reach, as a NetworkPolicy: pure functions of the pool. */
@NullMarked
package dev.codeforge.operator.network;

import org.jspecify.annotations.NullMarked;
