package dev.codeforge.operator.service;

import dev.codeforge.jetstream.RequestReply;
import java.util.Optional;

/**
 * The sender of a request and how to answer it. A caller that does not wait for an answer is no error: the task runs
 * anyway.
 */
record Caller(Optional<RequestReply.Replies> replies, boolean progress) {

    boolean isThere() {
        return replies.isPresent();
    }

    /** @return false when NATS is away: try again */
    boolean tell(Answer answer) {
        return replies.map(way -> way.send(answer.body(), answer.headers())).orElse(true);
    }

    /** Sends the last answer. @return false when NATS is away: try again */
    boolean finish(Answer answer) {
        final boolean told = tell(answer);
        if (told && progress) {
            tell(Answer.END);
        }
        return told;
    }
}
