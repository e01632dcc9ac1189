package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** All pools and tasks of the API server, and the subscriptions to them. Guarded by the hub's lock. */
final class Namespaces implements Feed.Audience {
    private final Map<String, Shelf> shelves = new HashMap<>();
    private final Map<String, Item> tasksByUid = new HashMap<>();
    private final EarlyEvents early = new EarlyEvents();

    /** @return the item that had this name, if it was another object */
    Optional<Item> put(Item item) {
        final Shelf shelf = shelf(item.namespace());
        final Optional<Item> before = shelf.put(item);
        before.ifPresent(this::forgetUid);
        if (item.kind() == Item.Kind.TASK) {
            tasksByUid.put(item.uid(), item);
        }
        shelf.subscriptions().forEach(subscription -> subscription.change(before, Optional.of(item)));
        early.of(item.uid()).forEach(event -> shelf.receptions().forEach(reception -> reception.hearLate(event)));
        return before.filter(other -> !other.uid().equals(item.uid()));
    }

    /** @return the removed item */
    Optional<Item> remove(Item item) {
        final Shelf shelf = shelf(item.namespace());
        final Optional<Item> gone = shelf.remove(item);
        gone.ifPresent(before -> {
            forgetUid(before);
            shelf.subscriptions().forEach(subscription -> subscription.change(Optional.of(before), Optional.empty()));
        });
        tidy(item.namespace());
        return gone;
    }

    /** Subscriptions to the lines of a task by its name. */
    List<Subscription> readersOf(Item task) {
        return shelf(task.namespace()).subscriptions().stream()
                .filter(subscription -> subscription.request().has(Topic.LOG)
                        && subscription.request().task().equals(Optional.of(task.name())))
                .toList();
    }

    private void forgetUid(Item item) {
        tasksByUid.remove(item.uid(), item);
    }

    private Shelf shelf(String namespace) {
        return shelves.computeIfAbsent(namespace, name -> new Shelf());
    }

    private void tidy(String namespace) {
        if (shelf(namespace).isEmpty()) {
            shelves.remove(namespace);
        }
    }

    Optional<Item> task(String namespace, String name) {
        return shelf(namespace).task(name);
    }

    /** From now on the subscription receives changes to the part of the snapshot that was sent. */
    void add(Subscription subscription) {
        shelf(subscription.request().namespace()).subscriptions().add(subscription);
    }

    void add(Reception reception) {
        shelf(reception.subscription().request().namespace()).receptions().add(reception);
    }

    void leave(Subscription subscription) {
        final String namespace = subscription.request().namespace();
        shelf(namespace).leave(subscription);
        tidy(namespace);
    }

    /** Sends the next item of the snapshot. @return false when it was the last */
    boolean showNext(Subscription subscription) {
        final Request request = subscription.request();
        final Optional<Item> next = shelf(request.namespace()).after(subscription.shown(), request);
        next.ifPresentOrElse(subscription::show, subscription::showedAll);
        return next.isPresent() && !subscription.isOver();
    }

    @Override
    public Collection<Reception> receptions(Entry event) {
        final Shelf shelf = shelves.get(event.task().namespace());
        return shelf == null ? Set.of() : shelf.receptions();
    }

    @Override
    public Collection<Reception> receptions() {
        return shelves.values().stream()
                .flatMap(shelf -> shelf.receptions().stream())
                .toList();
    }

    @Override
    public boolean concerns(Request request, Entry event) {
        final Optional<Item> task =
                Optional.ofNullable(tasksByUid.get(event.task().id()));
        return event.task().namespace().equals(request.namespace())
                && request.isOfPool(event.task().pool())
                // Another pool may write events with this task's id; they belong to another task.
                && task.map(Item::pool)
                        .filter(pool -> !pool.equals(event.task().pool()))
                        .isEmpty()
                && (!request.isOfSomeTasks() || task.filter(request::isAbout).isPresent());
    }

    @Override
    public void notice(Entry event) {
        if (!tasksByUid.containsKey(event.task().id())) {
            early.keep(event);
        }
    }
}
