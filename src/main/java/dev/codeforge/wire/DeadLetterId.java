package dev.codeforge.wire;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.ZonedDateTime;
import java.util.HexFormat;

/**
 * The message id of a dead letter. Worker and operator compute the same id, so that a repeated burial is a duplicate.
 * Only a reader of the message can compute the id: a third party could otherwise publish the id first and have the real
 * letter refused as a duplicate.
 */
public final class DeadLetterId {
    private static final BigInteger NANOSECONDS = BigInteger.valueOf(1_000_000_000L);

    private DeadLetterId() {}

    /** @param stored when the server stored the message */
    public static String of(String stream, long sequence, ZonedDateTime stored, byte[] body) {
        final BigInteger time = BigInteger.valueOf(stored.toEpochSecond())
                .multiply(NANOSECONDS)
                .add(BigInteger.valueOf(stored.getNano()));
        try {
            final MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((stream + "\n" + sequence + "\n" + time + "\n").getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(body));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
