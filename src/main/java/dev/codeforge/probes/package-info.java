/** Probes and metrics of every process. */
@NullMarked
package dev.codeforge.probes;

import org.jspecify.annotations.NullMarked;
