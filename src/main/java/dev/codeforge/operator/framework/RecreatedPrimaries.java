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
 * Handles objects that are recreated under the name of one whose deletion is being reconciled. The framework (JOSDK
 * 5.2) keeps one state per name. It passes the new object on as the deleted one, and at the end of that reconcile it
 * drops the state and with it the events of the new object; a name without a state receives only the resource's own
 * events. If the reconcile fails, it drops the deletion instead. This class reconciles both objects, the deleted one
 * first.
 */
public final class RecreatedPrimaries<P extends HasMetadata> extends AbstractEventSource<Void, P> implements Metrics {
    private final GroupVersionKind kind;
    private final Map<ResourceID, P> deleted = new ConcurrentHashMap<>();
    private volatile Cache<P> cache;

    public RecreatedPrimaries(Class<P> type) {
        super(Void.class, "recreations");
        this.kind = GroupVersionKind.gvkFor(type);
    }

    /** Call this when the reconciler's event sources are prepared. */
    public RecreatedPrimaries<P> in(Cache<P> primaries) {
        cache = primaries;
        return this;
    }

    /** Reconciles an object that exists or was deleted. */
    @FunctionalInterface
    public interface OneObject<P extends HasMetadata> {
        /** Throws to be retried; for a deleted object there is no other way. */
        UpdateControl<P> reconcile(P object, boolean deleted);
    }

    /** Reconciles the object from the framework: first a deletion until it succeeds, then the object of that name. */
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
        // The framework triggers a new object again that it has passed on as deleted.
        return context.isPrimaryResourceDeleted() ? UpdateControl.noUpdate() : one.reconcile(handedOver, false);
    }

    /** True if a reconcile of this name is about this object, not about a deleted predecessor. */
    public boolean isAlone(P object, Context<P> context) {
        return !context.isPrimaryResourceDeleted() && !deleted.containsKey(ResourceID.fromResource(object));
    }

    private boolean isLive(ResourceID id, P object) {
        return cache.get(id)
                .filter(live ->
                        live.getMetadata().getUid().equals(object.getMetadata().getUid()))
                .isPresent();
    }

    /** The framework has dropped the state of a name, and holds the lock under which it handles events. */
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
