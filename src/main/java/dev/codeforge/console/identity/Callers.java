package dev.codeforge.console.identity;

import java.time.Duration;
import java.util.Optional;

/** The API server's word on callers. Neither answer is older than {@link #freshness}. */
public interface Callers {
    /** Something that may be read in a namespace. */
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

        /** As people say it. */
        public String words() {
            return verb + " " + resource + (subresource.isEmpty() ? "" : "/" + subresource);
        }
    }

    /** The user's name; empty when the API server does not take the token. */
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
