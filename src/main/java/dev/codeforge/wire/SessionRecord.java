package dev.codeforge.wire;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The record of a session: its turn and its conversation.
 *
 * @param turn the task that has started and not ended; absent between two tasks
 * @param history absent until a task of the session has succeeded
 */
public record SessionRecord(String session, @Nullable Turn turn, @Nullable History history) {

    /** The AgentTask, in the session's namespace, that may be published. */
    public record Turn(String uid, String name) {}

    /** The conversation that the run {@code attempt} of the task {@code uid} left. */
    public record History(String uid, int attempt, SessionObject object) {}

    public static SessionRecord fresh(String session) {
        return new SessionRecord(session, null, null);
    }

    public boolean isTurnOf(String uid) {
        return turn != null && turn.uid().equals(uid);
    }

    public SessionRecord withTurn(Turn next) {
        return new SessionRecord(session, next, history);
    }

    /** The record without a turn. The conversation stays if the task has left none. */
    public SessionRecord ended(Optional<History> left) {
        return new SessionRecord(session, null, left.orElse(history));
    }

    public byte[] toJson() {
        return Json.write(this);
    }

    public static SessionRecord parse(byte[] body) throws UnreadableMessageException {
        final SessionRecord entry = Json.read(body, SessionRecord.class);
        if (entry.session() == null) {
            throw new UnreadableMessageException("a session's record needs its name as session");
        }
        return entry;
    }
}
