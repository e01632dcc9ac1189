package dev.codeforge.operator.framework;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import java.time.Duration;
import java.util.Optional;

/**
 * How a reconciler asks for the next reconcile. What the resource waits for decides the delay: a task's deadlines, a
 * pool's queue. Both kinds share the delays that follow from how reconciles work.
 */
public final class Requeue {
    /** The object has changed since it was read: the watch delivers the change within milliseconds, and this is for a late one. */
    private static final Duration CHANGED = Duration.ofMillis(200);

    /** The framework takes no delay of zero. */
    private static final Duration AT_ONCE = Duration.ofMillis(1);

    private Requeue() {}

    public static <P extends HasMetadata> UpdateControl<P> after(Duration delay) {
        return UpdateControl.<P>noUpdate().rescheduleAfter(delay);
    }

    /** @param delay empty: only an event starts the next reconcile */
    public static <P extends HasMetadata> UpdateControl<P> after(Optional<Duration> delay) {
        return delay.map(Requeue::<P>after).orElseGet(UpdateControl::noUpdate);
    }

    /** What was read has changed before it could be acted on. */
    public static <P extends HasMetadata> UpdateControl<P> afterChange() {
        return after(CHANGED);
    }

    public static <P extends HasMetadata> UpdateControl<P> atOnce() {
        return after(AT_ONCE);
    }
}
