/** The two resources of {@code codeforge.dev/v1alpha1}, as records: the schema is written here and nowhere else. */
@NullMarked
package dev.codeforge.api;

import org.jspecify.annotations.NullMarked;
