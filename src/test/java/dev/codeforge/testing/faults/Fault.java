package dev.codeforge.testing.faults;

import java.time.Duration;

/** What a proxy does to a request instead of passing it on and bringing its answer. */
public sealed interface Fault {
    Runnable NOTHING = () -> {};

    /** The action is run, then the request goes its way. */
    record Before(Runnable action) implements Fault {}

    /** The action is run, and the connection is cut: the server never hears of the request. */
    record Instead(Runnable action) implements Fault {
        public Instead() {
            this(NOTHING);
        }
    }

    /** The server has done what was asked; then the action is run and the connection cut: the answer is lost. */
    record AnswerLost(Runnable action) implements Fault {
        public AnswerLost() {
            this(NOTHING);
        }
    }

    /** The server has done what was asked; its answer never comes, the connection stands. */
    record Silence() implements Fault {}

    /** The request goes its way later. */
    record Delay(Duration time) implements Fault {}

    /** The server never hears of the request; the client gets this HTTP status. Only before the API server. */
    record Answer(int status) implements Fault {}
}
