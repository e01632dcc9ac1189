/** The only package that talks to NATS. Each interface is one concern; the rest of the operator sees these only. */
@NullMarked
package dev.codeforge.jetstream;

import org.jspecify.annotations.NullMarked;
