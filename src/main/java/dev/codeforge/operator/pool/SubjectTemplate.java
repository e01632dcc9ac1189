package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.wire.Subjects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Gives a subject to the pools that name none, and says which subjects a pool may name. The schema and the chart's policy
 * refuse others earlier, but not every cluster has both.
 *
 * @param text a subject with {@code {backend}}, {@code {namespace}} and {@code {pool}}
 */
record SubjectTemplate(String text) {
    private static final String ANY = "[^.]+";

    String subject(WorkerPool pool) {
        final String own = pool.getSpec().queue().subject();
        return own != null
                ? own
                : text.replace("{backend}", pool.getSpec().backend())
                        .replace("{namespace}", pool.getMetadata().getNamespace())
                        .replace("{pool}", pool.getMetadata().getName());
    }

    boolean allows(WorkerPool pool) {
        final String own = pool.getSpec().queue().subject();
        final String namespace = pool.getMetadata().getNamespace();
        return own == null || (own.startsWith(Subjects.TASKS + namespace + ".") && !isGivenToOthers(own, namespace));
    }

    /**
     * A namespace may be called as a word of the template: with tasks.agent.{backend}, agent. A pool's stream has its subject
     * and all that are one word longer, and so have the streams of the others.
     */
    private boolean isGivenToOthers(String subject, String namespace) {
        return Stream.of(text, text + ".{pool}", text.substring(0, text.lastIndexOf('.')))
                .anyMatch(given -> subject.matches(pattern(given, ANY))
                        && !(given.contains("{namespace}") && subject.matches(pattern(given, namespace))));
    }

    private static String pattern(String given, String namespace) {
        return Pattern.quote(given)
                .replace("{namespace}", "\\E" + namespace + "\\Q")
                .replace("{backend}", "\\E" + ANY + "\\Q")
                .replace("{pool}", "\\E" + ANY + "\\Q");
    }
}
