package dev.codeforge.wire;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;

/**
 * The ids of a task's trace. Operator and workers derive the same ids from its UID and store none; {@code
 * schemas/golden/spans.json} has examples.
 */
public final class TraceIds {
    private static final int SPAN_BYTES = 8;

    private TraceIds() {}

    /** The UID's 32 hexadecimal digits. */
    public static String trace(String uid) {
        return uid.replace("-", "").toLowerCase(Locale.ROOT);
    }

    /** The span of the whole task. */
    public static String task(String uid) {
        return span(uid, "task");
    }

    public static String publish(String uid, int attempt) {
        return span(uid, "publish/" + attempt);
    }

    /** The span of the status write that ends the task after this attempt. */
    public static String statusWrite(String uid, int attempt) {
        return span(uid, "status/" + attempt);
    }

    /** The span of a run, which its worker exports. */
    public static String run(String uid, int attempt, int delivery) {
        return span(uid, "run/" + attempt + "/" + delivery);
    }

    /** The message's header, which makes the run a child of the attempt's publish. */
    public static String traceparent(String uid, int attempt, boolean sampled) {
        return "00-" + trace(uid) + "-" + publish(uid, attempt) + (sampled ? "-01" : "-00");
    }

    private static String span(String uid, String name) {
        try {
            final byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest((trace(uid) + "/" + name).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(Arrays.copyOf(hash, SPAN_BYTES));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
