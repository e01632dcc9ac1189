/** Decides which operator works: the lease among a release's instances, and the claim among several releases. */
@NullMarked
package dev.codeforge.operator.leadership;

import org.jspecify.annotations.NullMarked;
