package dev.codeforge.operator.time;

import java.time.Clock;

/**
 * The clocks of the machines that stamp times. A deadline compares a time with the clock that stamped it.
 *
 * @param own for what starts and ends in this process, and for times that only people read
 * @param nats of all times in a task's status, and of stored events
 * @param apiServer of the creation and deletion of resources
 */
public record Clocks(Clock own, Clock nats, Clock apiServer) {}
