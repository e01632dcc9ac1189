package dev.codeforge.testing;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What an informer's cache shows, set by the test. */
public final class InMemoryCache<R extends HasMetadata> implements IndexerResourceCache<R> {
    private final Map<ResourceID, R> resources = new ConcurrentHashMap<>();
    private final Map<String, Function<R, List<String>>> indexes = new ConcurrentHashMap<>();

    public InMemoryCache(Map<String, Function<R, String>> indexes) {
        indexes.forEach((name, key) -> this.indexes.put(name, resource -> List.of(key.apply(resource))));
    }

    @Override
    public void addIndexers(Map<String, Function<R, List<String>>> indexers) {
        indexes.putAll(indexers);
    }

    public void put(R resource) {
        resources.put(ResourceID.fromResource(resource), resource);
    }

    public void remove(R resource) {
        resources.remove(ResourceID.fromResource(resource));
    }

    @Override
    public List<R> byIndex(String index, String key) {
        return list(resource -> indexes.get(index).apply(resource).contains(key))
                .toList();
    }

    @Override
    public Stream<R> list(String namespace, Predicate<R> predicate) {
        return list(predicate.and(
                resource -> namespace.equals(resource.getMetadata().getNamespace())));
    }

    @Override
    public Stream<R> list(Predicate<R> predicate) {
        return resources.values().stream().filter(predicate);
    }

    @Override
    public Optional<R> get(ResourceID id) {
        return Optional.ofNullable(resources.get(id));
    }

    @Override
    public Stream<ResourceID> keys() {
        return resources.keySet().stream();
    }
}
