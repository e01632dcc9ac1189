package dev.codeforge.wire;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The operator's key. It derives the {@code dispatch_id}, which only the receiver of a task message learns, and
 * verifies that an event was written by that receiver.
 */
public final class DispatchKey {
    private static final int BYTES = 32;
    private final byte[] key;
    private final Optional<DispatchKey> previous;

    public DispatchKey(byte[] key) {
        this(key, Optional.empty());
    }

    /** @param previous still verifies events of tasks that were published with it; it signs nothing new */
    public DispatchKey(byte[] key, Optional<DispatchKey> previous) {
        if (key.length < BYTES) {
            throw new IllegalArgumentException("the dispatch key has " + key.length + " bytes, at least " + BYTES
                    + " are needed: put random ones into its Secret, base64 encoded, and the old ones under previous");
        }
        this.key = key.clone();
        this.previous = previous;
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

    /** Whether the id of this attempt was made with this key or the previous one. */
    public boolean made(String dispatchId, String uid, int attempt) {
        return dispatchId(uid, attempt).equals(dispatchId)
                || previous.filter(old -> old.made(dispatchId, uid, attempt)).isPresent();
    }

    /** The proof for an event's body. */
    public String proof(String uid, int attempt, byte[] body) {
        return hmac(dispatchId(uid, attempt).getBytes(StandardCharsets.US_ASCII), body);
    }

    public boolean proves(String uid, int attempt, byte[] body, String proof) {
        return MessageDigest.isEqual(
                        proof(uid, attempt, body).getBytes(StandardCharsets.US_ASCII),
                        proof.getBytes(StandardCharsets.US_ASCII))
                || previous.filter(old -> old.proves(uid, attempt, body, proof)).isPresent();
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
