package dev.codeforge.operator.service;

import dev.codeforge.jetstream.RequestReply;
import java.util.Optional;

/** Who asked, as far as an answer can reach them. Nobody waiting is no error: the task runs all the same. */
record Caller(Optional<RequestReply.Replies> replies, boolean progress) {

    boolean isThere() {
        return replies.isPresent();
    }

    /** @return false when NATS is away: try again */
    boolean tell(Answer answer) {
        return replies.map(way -> way.send(answer.body(), answer.headers())).orElse(true);
    }

    /** The last of the answers. @return false when NATS is away: try again */
    boolean finish(Answer answer) {
        final boolean told = tell(answer);
        if (told && progress) {
            tell(Answer.END);
        }
        return told;
    }
}
