package dev.codeforge.operator.framework;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.Constants;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.GroupVersionKind;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import io.javaoperatorsdk.operator.processing.event.source.Cache;
import io.javaoperatorsdk.operator.processing.event.source.controller.ResourceAction;
import io.javaoperatorsdk.operator.processing.event.source.controller.ResourceEvent;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Objects that are made again under the name of one whose deletion is being reconciled. The framework (JOSDK 5.2) has one
 * state for a name. It hands the new object over as the deleted one, and at the end of that reconcile drops the state, events
 * of the new object included; a name without a state hears a resource's events only. When the reconcile fails it is the
 * deletion that is dropped. Here each of the two is reconciled, the deleted one first.
 */
public final class RecreatedPrimaries<P extends HasMetadata> extends AbstractEventSource<Void, P> implements Metrics {
    private final GroupVersionKind kind;
    private final Map<ResourceID, P> deleted = new ConcurrentHashMap<>();
    private volatile Cache<P> cache;

    public RecreatedPrimaries(Class<P> type) {
        super(Void.class, "recreations");
        this.kind = GroupVersionKind.gvkFor(type);
    }

    /** Call it when the reconciler's event sources are prepared. */
    public RecreatedPrimaries<P> in(Cache<P> primaries) {
        cache = primaries;
        return this;
    }

    /** Reconciles an object that is there, or is deleted. */
    @FunctionalInterface
    public interface OneObject<P extends HasMetadata> {
        /** Throws when it is to be tried again; for a deleted one there is no other way. */
        UpdateControl<P> reconcile(P object, boolean deleted);
    }

    /** Reconciles what the framework hands over: a deletion until it has succeeded, then the object of that name. */
    public UpdateControl<P> reconcile(P handedOver, Context<P> context, OneObject<P> one) {
        final ResourceID id = ResourceID.fromResource(handedOver);
        if (context.isPrimaryResourceDeleted() && !isLive(id, handedOver)) {
            deleted.put(id, handedOver);
        }
        final P former = deleted.get(id);
        if (former != null) {
            one.reconcile(former, true);
            deleted.remove(id);
        }
        // A new one that is handed over as the deleted one comes again by itself.
        return context.isPrimaryResourceDeleted() ? UpdateControl.noUpdate() : one.reconcile(handedOver, false);
    }

    /** Whether a reconcile of this name is about this object, and not about a former one that is being ended. */
    public boolean isAlone(P object, Context<P> context) {
        return !context.isPrimaryResourceDeleted() && !deleted.containsKey(ResourceID.fromResource(object));
    }

    private boolean isLive(ResourceID id, P object) {
        return cache.get(id)
                .filter(live ->
                        live.getMetadata().getUid().equals(object.getMetadata().getUid()))
                .isPresent();
    }

    /** The framework has dropped the state of a name, and holds the lock under which it takes events. */
    @Override
    public void cleanupDoneFor(ResourceID id, Map<String, Object> metadata) {
        if (!kind.equals(metadata.get(Constants.RESOURCE_GVK_KEY))) {
            return;
        }
        cache.get(id)
                .ifPresent(live -> getEventHandler().handleEvent(new ResourceEvent(ResourceAction.UPDATED, id, live)));
    }

    @Override
    public Set<Void> getSecondaryResources(P primary) {
        return Set.of();
    }
}
