package dev.codeforge.wire;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Identifies a session: the same name on another pool is another conversation. */
public record SessionKey(String namespace, String pool, String session) {

    /** {@code <namespace>.<pool>.<SHA-256 of the session's name, lowercase hexadecimal>}. */
    public String entry() {
        try {
            final byte[] digest = MessageDigest.getInstance("SHA-256").digest(session.getBytes(StandardCharsets.UTF_8));
            return namespace + "." + pool + "." + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
