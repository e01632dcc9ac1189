/** What keeps the operator running: settings, retry, health, keys, and what its reconcilers share. */
@NullMarked
package dev.codeforge.operator.runtime;

import org.jspecify.annotations.NullMarked;
