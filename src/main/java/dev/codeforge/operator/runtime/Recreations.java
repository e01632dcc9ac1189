package dev.codeforge.operator.runtime;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import io.javaoperatorsdk.operator.processing.event.source.Cache;
import io.javaoperatorsdk.operator.processing.event.source.controller.ResourceAction;
import io.javaoperatorsdk.operator.processing.event.source.controller.ResourceEvent;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Brings back an object that was made anew while its namesake's deletion was handled. The framework (JOSDK 5.2) hands it
 * over as the deleted one, then forgets the name, and drops every event of a forgotten name but a resource's.
 */
public final class Recreations<P extends HasMetadata> extends AbstractEventSource<Void, P> {
    /** When the framework has forgotten the deleted one. */
    private static final Duration AFTERWARDS = Duration.ofSeconds(1);

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("recreations").daemon().factory());

    public Recreations() {
        super(Void.class, "recreations");
    }

    /** To be asked first in each reconcile. True: it is not the deleted one, and will be handed over again by itself. */
    public boolean isNamesake(P resource, Context<P> context) {
        if (!context.isPrimaryResourceDeleted()) {
            return false;
        }
        final ResourceID id = ResourceID.fromResource(resource);
        final Cache<P> cache = context.getPrimaryCache();
        timer.schedule(() -> bringBack(id, cache), AFTERWARDS.toMillis(), TimeUnit.MILLISECONDS);
        final String uid = resource.getMetadata().getUid();
        return cache.get(id)
                .filter(live -> live.getMetadata().getUid().equals(uid))
                .isPresent();
    }

    private void bringBack(ResourceID id, Cache<P> cache) {
        cache.get(id)
                .ifPresent(live -> getEventHandler().handleEvent(new ResourceEvent(ResourceAction.UPDATED, id, live)));
    }

    @Override
    public Set<Void> getSecondaryResources(P primary) {
        return Set.of();
    }
}
