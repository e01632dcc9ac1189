package dev.codeforge.soak;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What was found against each promise; empty lists for those that were kept. */
final class Breaches {
    private final Map<Promise, List<String>> found = new EnumMap<>(Promise.class);

    Breaches() {
        for (final Promise promise : Promise.values()) {
            found.put(promise, new ArrayList<>());
        }
    }

    /** @param sentence begins with the name of the task or the stream */
    void add(Promise promise, String sentence) {
        found.get(promise).add(sentence);
    }

    void addAll(Promise promise, Collection<String> sentences) {
        found.get(promise).addAll(sentences);
    }

    boolean isEmpty() {
        return found.values().stream().allMatch(List::isEmpty);
    }

    Map<Promise, List<String>> found() {
        return found;
    }
}
