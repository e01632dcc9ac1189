package dev.codeforge.operator.status;

import dev.codeforge.wire.PlainText;
import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Builds a list of conditions. A condition's transition time changes only when its status flips. Messages may contain
 * text of a kubelet, a webhook or a worker.
 */
public final class Conditions {
    /** True while the API server refuses the whole status. */
    public static final String STATUS_REFUSED = "StatusRefused";

    private static final int MESSAGE_LIMIT = 1024;
    private static final int REMEDY = 400;
    private final Map<String, Condition> byType = new LinkedHashMap<>();
    private final long generation;
    private final Instant now;

    public Conditions(List<Condition> before, long generation, Instant now) {
        before.forEach(condition -> byType.put(condition.getType(), condition));
        this.generation = generation;
        this.now = now.truncatedTo(ChronoUnit.SECONDS);
    }

    public Conditions set(String type, boolean status, String reason, String message) {
        final String wanted = status ? "True" : "False";
        final Condition before = byType.get(type);
        final boolean flipped = before == null || !before.getStatus().equals(wanted);
        byType.put(
                type,
                new ConditionBuilder()
                        .withType(type)
                        .withStatus(wanted)
                        .withReason(reason)
                        .withMessage(PlainText.first(message, MESSAGE_LIMIT))
                        .withObservedGeneration(generation)
                        .withLastTransitionTime(flipped ? now.toString() : before.getLastTransitionTime())
                        .build());
        return this;
    }

    public Conditions set(String type, boolean status, Reason reason, String message) {
        return set(type, status, reason.name(), message);
    }

    /** Removes a condition that no longer applies. */
    public Conditions remove(String type) {
        byType.remove(type);
        return this;
    }

    public List<Condition> list() {
        return List.copyOf(byType.values());
    }

    /**
     * The conditions of a status that the API server refuses, without their messages, which may contain any text, and
     * with the refusal.
     */
    public Conditions refused(List<Condition> refused, String why) {
        refused.forEach(
                condition -> set(condition.getType(), "True".equals(condition.getStatus()), condition.getReason(), ""));
        return set(STATUS_REFUSED, true, Reason.StatusRefused, Reason.StatusRefused.sentence() + " " + why);
    }

    /** Cuts text from outside so that a remedy fits after it. */
    public static String beforeARemedy(String words) {
        return PlainText.first(words, MESSAGE_LIMIT - REMEDY);
    }

    public static Optional<Condition> find(List<Condition> conditions, String type) {
        return conditions.stream()
                .filter(condition -> type.equals(condition.getType()))
                .findFirst();
    }

    /** The condition in {@code after} that is true and was not true in {@code before}. */
    public static Optional<Condition> becameTrue(String type, List<Condition> before, List<Condition> after) {
        return isTrue(after, type) && !isTrue(before, type) ? find(after, type) : Optional.empty();
    }

    public static boolean isTrueBy(List<Condition> conditions, String type, String reason) {
        return isTrue(conditions, type)
                && find(conditions, type)
                        .filter(condition -> reason.equals(condition.getReason()))
                        .isPresent();
    }

    public static boolean isTrue(List<Condition> conditions, String type) {
        return find(conditions, type)
                .filter(condition -> "True".equals(condition.getStatus()))
                .isPresent();
    }
}
