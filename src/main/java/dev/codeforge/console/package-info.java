/** The server that people's screens are connected to: what changes, as it changes. It decides nothing and writes nothing. */
@NullMarked
package dev.codeforge.console;

import org.jspecify.annotations.NullMarked;
