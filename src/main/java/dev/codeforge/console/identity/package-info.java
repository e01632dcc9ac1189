/** Authenticates callers and authorizes what they read, by the API server. */
@NullMarked
package dev.codeforge.console.identity;

import org.jspecify.annotations.NullMarked;
