package dev.codeforge.jetstream;

/**
 * A look at a pool's consumer, answered by its leader.
 *
 * @param waiting messages that no worker has taken
 * @param running messages that a worker holds, or that wait for redelivery
 */
public record QueueSample(long waiting, long running, boolean paused) {
    public long demand() {
        return waiting + running;
    }
}
