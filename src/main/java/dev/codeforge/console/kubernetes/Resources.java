package dev.codeforge.console.kubernetes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.Names;
import dev.codeforge.console.hub.Item;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** One informer for AgentTasks and one for WorkerPools, shared by all clients. */
public final class Resources implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<SharedIndexInformer<GenericKubernetesResource>> informers = new ArrayList<>();

    /**
     * Starts the informers.
     *
     * @param namespaces the watched ones; empty for all
     * @param filled called once, when all existing objects were put
     */
    public Resources(
            KubernetesClient client,
            Set<String> namespaces,
            Consumer<Item> put,
            Consumer<Item> remove,
            Runnable filled) {
        for (final Item.Kind kind : Item.Kind.values()) {
            final var resources = client.genericKubernetesResources(context(kind));
            final var handler = new Handler(kind, put, remove);
            (namespaces.isEmpty()
                            ? Stream.of(resources.inAnyNamespace())
                            : namespaces.stream().map(resources::inNamespace))
                    .map(watched -> watched.runnableInformer(0)
                            .addEventHandler(handler)
                            // By default a failed first list is not retried.
                            .exceptionHandler((started, error) -> true))
                    .forEach(informers::add);
        }
        informers.forEach(SharedIndexInformer::start);
        Thread.ofVirtual().name("console-filled").start(() -> awaitFilled(filled));
    }

    private static ResourceDefinitionContext context(Item.Kind kind) {
        return new ResourceDefinitionContext.Builder()
                .withGroup(Names.GROUP)
                .withVersion(Names.VERSION)
                .withKind(kind == Item.Kind.TASK ? "AgentTask" : "WorkerPool")
                .withPlural(kind == Item.Kind.TASK ? "agenttasks" : "workerpools")
                .withNamespaced(true)
                .build();
    }

    private void awaitFilled(Runnable filled) {
        try {
            while (!informers.stream().allMatch(SharedIndexInformer::hasSynced)) {
                Thread.sleep(50);
            }
            filled.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public boolean isWatching() {
        return informers.stream().allMatch(informer -> informer.hasSynced() && informer.isWatching());
    }

    private record Handler(Item.Kind kind, Consumer<Item> put, Consumer<Item> remove)
            implements ResourceEventHandler<GenericKubernetesResource> {
        @Override
        public void onAdd(GenericKubernetesResource resource) {
            put.accept(item(resource));
        }

        @Override
        public void onUpdate(GenericKubernetesResource before, GenericKubernetesResource now) {
            if (!before.getMetadata()
                    .getResourceVersion()
                    .equals(now.getMetadata().getResourceVersion())) {
                put.accept(item(now));
            }
        }

        @Override
        public void onDelete(GenericKubernetesResource resource, boolean stateUnknown) {
            remove.accept(item(resource));
        }

        private Item item(GenericKubernetesResource resource) {
            final var metadata = resource.getMetadata();
            metadata.setManagedFields(List.of());
            final String pool = kind == Item.Kind.POOL
                    ? metadata.getName()
                    : Optional.<Object>ofNullable(resource.get("spec", "workerPoolRef", "name"))
                            .map(Object::toString)
                            .orElse("");
            return new Item(
                    kind,
                    metadata.getNamespace(),
                    metadata.getName(),
                    metadata.getUid(),
                    pool,
                    Optional.ofNullable(metadata.getLabels()).map(Map::copyOf).orElse(Map.of()),
                    written(resource));
        }

        private static String written(GenericKubernetesResource resource) {
            try {
                return JSON.writeValueAsString(resource);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("what was read as JSON is written as JSON", e);
            }
        }
    }

    @Override
    public void close() {
        informers.forEach(SharedIndexInformer::stop);
    }
}
