/** The server for live clients: it pushes changes of tasks and pools, and writes nothing. */
@NullMarked
package dev.codeforge.console;

import org.jspecify.annotations.NullMarked;
