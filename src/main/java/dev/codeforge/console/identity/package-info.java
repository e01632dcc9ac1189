/** Who a caller is and what he may see, by the word of the API server. */
@NullMarked
package dev.codeforge.console.identity;

import org.jspecify.annotations.NullMarked;
