package dev.codeforge.console.identity;

import java.time.Duration;
import java.util.Optional;

/** Authenticates and authorizes callers at the API server. Answers are cached for at most {@link #freshness}. */
public interface Callers {
    /** A read access in a namespace. */
    record Reading(String namespace, String resource, String subresource, String verb) {
        public static Reading tasks(String namespace) {
            return new Reading(namespace, "agenttasks", "", "watch");
        }

        public static Reading pools(String namespace) {
            return new Reading(namespace, "workerpools", "", "watch");
        }

        public static Reading lines(String namespace) {
            return new Reading(namespace, "agenttasks", "log", "get");
        }

        /** As text for users. */
        public String words() {
            return verb + " " + resource + (subresource.isEmpty() ? "" : "/" + subresource);
        }
    }

    /** The user's name; empty when the API server rejects the token. */
    Optional<String> user(String token);

    boolean may(String token, Reading reading);

    Duration freshness();

    /** The API server did not answer. */
    final class UnansweredException extends RuntimeException {
        private static final long serialVersionUID = 1;

        public UnansweredException(String message, Throwable cause) {
            super(message, cause);
        }

        public UnansweredException(String message) {
            super(message);
        }
    }
}
