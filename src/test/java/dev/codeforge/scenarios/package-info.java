/**
 * What may go wrong, one test each: real operators, a real API server, a real nats-server, real workers, and one fault at
 * the moment where it hurts most. Each test's name is its scenario; what must hold afterwards is what an undisturbed run
 * leaves behind.
 */
package dev.codeforge.scenarios;
