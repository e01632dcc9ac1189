package dev.codeforge.operator.scaling;

/**
 * The workers that a pool has.
 *
 * @param replicas the Deployment's spec.replicas, 0 without a Deployment
 * @param ready the Deployment's status.readyReplicas; more than replicas during a rollout
 * @param unschedulable pods that the scheduler finds no node for (PodScheduled is False, Unschedulable)
 * @param rollingOut some pods are of an earlier template
 */
public record Workers(int replicas, int ready, int unschedulable, boolean rollingOut) {

    /** Those that were asked for and do not take tasks yet. */
    int starting() {
        return Math.max(0, replicas - ready);
    }
}
