package dev.codeforge.console.hub;

import java.util.HashSet;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The pools and tasks of a namespace, and the subscriptions to them and to their events. Guarded by the hub's lock. */
final class Shelf {
    private final NavigableMap<Subscription.Place, Item> items = new TreeMap<>();
    private final Set<Subscription> subscriptions = new HashSet<>();
    private final Set<Reception> receptions = new HashSet<>();

    Optional<Item> put(Item item) {
        return Optional.ofNullable(items.put(Subscription.Place.of(item), item));
    }

    Optional<Item> remove(Item item) {
        return Optional.ofNullable(items.remove(Subscription.Place.of(item)));
    }

    Optional<Item> task(String name) {
        return Optional.ofNullable(items.get(new Subscription.Place(Item.Kind.TASK, name)));
    }

    /** The next item of a snapshot. */
    Optional<Item> after(Optional<Subscription.Place> place, Request request) {
        return place.map(from -> items.tailMap(from, false)).orElse(items).values().stream()
                .filter(request::wants)
                .findFirst();
    }

    Set<Subscription> subscriptions() {
        return subscriptions;
    }

    Set<Reception> receptions() {
        return receptions;
    }

    void leave(Subscription subscription) {
        subscriptions.remove(subscription);
        receptions.removeIf(reception -> reception.subscription() == subscription);
    }

    boolean isEmpty() {
        return items.isEmpty() && subscriptions.isEmpty() && receptions.isEmpty();
    }
}
