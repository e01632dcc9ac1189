package dev.codeforge.console.hub;

/** Why the server closes a connection: the code of a WebSocket's close frame, and a sentence. */
public enum Closing {
    STOPPING(1001, "the server stops: connect again and continue after the last sequence"),
    UNAVAILABLE(1013, "the API server does not answer who the caller is: connect again"),
    SIGN_IN(4401, "sign in: the token is missing, wrong or expired"),
    SILENT(4401, "sign in: no token came within 5 s; send it as the first message, or as a header"),
    TOO_MANY(4429, "too many connections of this user: close others first"),
    TOO_SLOW(4008, "too slow: messages were left out; connect again and continue after the last sequence");

    private final int code;
    private final String sentence;

    Closing(int code, String sentence) {
        this.code = code;
        this.sentence = sentence;
    }

    public int code() {
        return code;
    }

    public String sentence() {
        return sentence;
    }
}
