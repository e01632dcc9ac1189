package dev.codeforge.console.http;

import dev.codeforge.console.hub.Message;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The position of an SSE reader in both streams: {@code <sequence of RESULTS>-<sequence of LOGS>}. */
record EventId(Optional<Long> event, Optional<Long> line) {
    static final EventId NOWHERE = new EventId(Optional.empty(), Optional.empty());
    private static final Pattern FORM = Pattern.compile("(\\d{0,18})-(\\d{0,18})");

    /** Any other text starts from now. */
    static EventId parse(String text) {
        final Matcher matcher = FORM.matcher(text);
        return matcher.matches() ? new EventId(number(matcher.group(1)), number(matcher.group(2))) : NOWHERE;
    }

    private static Optional<Long> number(String digits) {
        return digits.isEmpty() ? Optional.empty() : Optional.of(Long.parseLong(digits));
    }

    EventId with(Message message) {
        return new EventId(
                message.event() != Message.SAME ? Optional.of(message.event()) : event,
                message.line() != Message.SAME ? Optional.of(message.line()) : line);
    }

    @Override
    public String toString() {
        return event.map(Object::toString).orElse("") + "-"
                + line.map(Object::toString).orElse("");
    }
}
