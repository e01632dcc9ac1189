/**
 * The operator and the worker as real processes, and faults that reach them from outside: proxies before the API server and
 * before NATS, and signals. Nothing here reaches into the code under test.
 */
@NullMarked
package dev.codeforge.testing.faults;

import org.jspecify.annotations.NullMarked;
