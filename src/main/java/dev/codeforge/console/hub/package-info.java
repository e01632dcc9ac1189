/** Distributes changes: one memory of tasks and pools, one position in each stream, any number of clients. */
@NullMarked
package dev.codeforge.console.hub;

import org.jspecify.annotations.NullMarked;
