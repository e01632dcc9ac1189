/** What each line of the operator's log says of the resource that it is about. */
@NullMarked
package dev.codeforge.operator.logging;

import org.jspecify.annotations.NullMarked;
