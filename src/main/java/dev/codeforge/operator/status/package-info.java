/** What users read: conditions, reasons, events, and how they are written. */
@NullMarked
package dev.codeforge.operator.status;

import org.jspecify.annotations.NullMarked;
