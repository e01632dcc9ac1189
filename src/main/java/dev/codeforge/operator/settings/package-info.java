/** The operator's settings, read once from its environment and its mounted Secrets. */
@NullMarked
package dev.codeforge.operator.settings;

import org.jspecify.annotations.NullMarked;
