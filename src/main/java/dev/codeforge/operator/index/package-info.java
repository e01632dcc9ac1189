/** Indexes of the resources in the operator's caches, by the keys that its parts have. */
@NullMarked
package dev.codeforge.operator.index;

import org.jspecify.annotations.NullMarked;
