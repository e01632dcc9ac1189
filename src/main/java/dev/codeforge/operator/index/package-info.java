/** The resources in the operator's caches, found by what its parts know of them. */
@NullMarked
package dev.codeforge.operator.index;

import org.jspecify.annotations.NullMarked;
