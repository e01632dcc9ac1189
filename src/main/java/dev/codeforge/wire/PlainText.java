package dev.codeforge.wire;

/**
 * Text from outside, made acceptable to every reader: the API server refuses control characters and half a surrogate
 * pair in a status, a terminal obeys them. Newlines and tabs stay.
 */
public final class PlainText {
    private static final char REPLACEMENT = '\uFFFD';
    private static final char BYTE_ORDER_MARK = '\uFEFF';
    private static final char LINE_SEPARATOR = '\u2028';
    private static final char PARAGRAPH_SEPARATOR = '\u2029';
    private static final char FIRST_NONCHARACTER = '\uFFFE';

    private PlainText() {}

    /** The text with each unacceptable character replaced by U+FFFD. */
    public static String of(String text) {
        StringBuilder cleaned = null;
        for (int at = 0; at < text.length(); at++) {
            final char found = text.charAt(at);
            final char plain = isPaired(text, at) ? found : plain(found);
            if (plain != found && cleaned == null) {
                cleaned = new StringBuilder(text);
            }
            if (cleaned != null) {
                cleaned.setCharAt(at, plain);
            }
        }
        return cleaned == null ? text : cleaned.toString();
    }

    /** As {@link #of}, cut at the end to {@code most} characters. */
    public static String first(String text, int most) {
        return of(text.length() <= most ? text : text.substring(0, most));
    }

    /** As {@link #of}, cut at the beginning to {@code most} characters. */
    public static String last(String text, int most) {
        return of(text.length() <= most ? text : text.substring(text.length() - most));
    }

    /** Whether the surrogate has its other half next to it. */
    private static boolean isPaired(String text, int at) {
        final char half = text.charAt(at);
        if (Character.isHighSurrogate(half)) {
            return at + 1 < text.length() && Character.isLowSurrogate(text.charAt(at + 1));
        }
        return Character.isLowSurrogate(half) && at > 0 && Character.isHighSurrogate(text.charAt(at - 1));
    }

    private static char plain(char found) {
        return switch (found) {
            case '\n', '\t' -> found;
            case LINE_SEPARATOR, PARAGRAPH_SEPARATOR -> '\n';
            default ->
                Character.isISOControl(found)
                                || Character.isSurrogate(found)
                                || found == BYTE_ORDER_MARK
                                || found >= FIRST_NONCHARACTER
                        ? REPLACEMENT
                        : found;
        };
    }
}
