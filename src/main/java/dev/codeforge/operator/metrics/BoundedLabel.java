package dev.codeforge.operator.metrics;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps the number of a label's values bounded. Model names and types of failures come from tasks and backends, and each
 * new value would be a new time series for ever.
 */
final class BoundedLabel {
    static final String OTHER = "Other";
    private static final String NONE = "None";

    private final int most;
    private final Set<String> values = ConcurrentHashMap.newKeySet();

    /** @param most number of values that are kept apart; later ones are {@value #OTHER} */
    BoundedLabel(int most) {
        this.most = most;
    }

    synchronized String of(String value) {
        if (value.isEmpty()) {
            return NONE;
        }
        return values.contains(value) || (values.size() < most && values.add(value)) ? value : OTHER;
    }
}
