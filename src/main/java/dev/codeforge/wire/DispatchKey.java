package dev.codeforge.wire;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The operator's key. It makes the {@code dispatch_id} that only the receiver of a task message learns, and with it tells
 * events of that receiver from anybody else's.
 */
public final class DispatchKey {
    private static final int BYTES = 32;
    private final byte[] key;

    public DispatchKey(byte[] key) {
        if (key.length < BYTES) {
            throw new IllegalArgumentException("the dispatch key has " + key.length + " bytes, at least " + BYTES
                    + " are needed: delete its Secret to have a new one made");
        }
        this.key = key.clone();
    }

    public static byte[] generate() {
        final byte[] bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }

    /** Lowercase hexadecimal HMAC-SHA256 of {@code <uid>\n<attempt>}. */
    public String dispatchId(String uid, int attempt) {
        return hmac(key, (uid + "\n" + attempt).getBytes(StandardCharsets.US_ASCII));
    }

    /** The proof that belongs to an event's body. */
    public String proof(String uid, int attempt, byte[] body) {
        return hmac(dispatchId(uid, attempt).getBytes(StandardCharsets.US_ASCII), body);
    }

    public boolean proves(String uid, int attempt, byte[] body, String proof) {
        return MessageDigest.isEqual(
                proof(uid, attempt, body).getBytes(StandardCharsets.US_ASCII),
                proof.getBytes(StandardCharsets.US_ASCII));
    }

    private static String hmac(byte[] key, byte[] message) {
        try {
            final Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(message));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has HmacSHA256", e);
        }
    }
}
