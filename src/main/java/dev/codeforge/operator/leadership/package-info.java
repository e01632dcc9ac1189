/** Which operator works: the lease of this release's instances, and the release among several. */
@NullMarked
package dev.codeforge.operator.leadership;

import org.jspecify.annotations.NullMarked;
