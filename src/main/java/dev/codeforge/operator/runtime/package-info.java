/** What keeps the operator running: settings, retry, health, keys. */
@NullMarked
package dev.codeforge.operator.runtime;

import org.jspecify.annotations.NullMarked;
