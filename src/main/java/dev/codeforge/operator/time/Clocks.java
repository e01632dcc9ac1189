package dev.codeforge.operator.time;

import java.time.Clock;

/**
 * The machines whose times the operator meets. A deadline is a time and a now of the same one.
 *
 * @param own for what begins and ends in this process, and for times that people alone read
 * @param nats of all times in a task's status, and of stored events
 * @param apiServer of the creation and the deletion of resources
 */
public record Clocks(Clock own, Clock nats, Clock apiServer) {}
