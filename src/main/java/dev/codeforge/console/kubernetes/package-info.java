/** Reads the API server for all clients of the console. */
@NullMarked
package dev.codeforge.console.kubernetes;

import org.jspecify.annotations.NullMarked;
