package dev.codeforge.wire;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The ledger's entry name of an idempotency key. */
public final class LedgerKey {
    private LedgerKey() {}

    /**
     * {@code <installation>.<namespace>.<SHA-256 of the key, lowercase hexadecimal>}: a key may have characters that no
     * bucket accepts, and another installation on the account may have a namespace of this name.
     */
    public static String of(String installation, String namespace, String key) {
        return installation + "." + ofEarlierVersions(namespace, key);
    }

    /** The entry name that versions without the installation used. */
    public static String ofEarlierVersions(String namespace, String key) {
        try {
            final byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return namespace + "." + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
