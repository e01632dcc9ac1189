/** The API server, as the console reads it for everybody. */
@NullMarked
package dev.codeforge.console.kubernetes;

import org.jspecify.annotations.NullMarked;
