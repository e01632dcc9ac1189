package dev.codeforge.operator.task;

import dev.codeforge.jetstream.Results;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Events in hand by task, until what they change is stored. */
final class ResultInbox {
    private final Map<String, List<Results.Delivery>> byTask = new ConcurrentHashMap<>();

    void put(Results.Delivery delivery) {
        byTask.compute(delivery.event().task().id(), (uid, before) -> {
            final List<Results.Delivery> after = before == null ? new ArrayList<>() : new ArrayList<>(before);
            after.removeIf(old -> old.event().sequence() == delivery.event().sequence());
            after.add(delivery);
            return List.copyOf(after);
        });
    }

    List<Results.Delivery> of(String uid) {
        return byTask.getOrDefault(uid, List.of());
    }

    /** Acknowledges what a stored status covers: everything up to this sequence. */
    void settle(String uid, long throughSequence) {
        byTask.computeIfPresent(uid, (id, before) -> {
            final List<Results.Delivery> after = new ArrayList<>();
            for (final Results.Delivery delivery : before) {
                if (delivery.event().sequence() <= throughSequence) {
                    delivery.ack();
                } else {
                    after.add(delivery);
                }
            }
            return after.isEmpty() ? null : List.copyOf(after);
        });
    }
}
