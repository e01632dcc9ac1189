/** WebSocket and Server-Sent Events over Javalin. */
@NullMarked
package dev.codeforge.console.http;

import org.jspecify.annotations.NullMarked;
