package dev.codeforge.identity;

import io.nats.client.NKey;
import io.nats.client.support.Encoding;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;

/** An nkey. Its public half is the id of an operator, an account or a user. */
public final class Key {
    private static final int SEED = 18 << 3;
    private static final int PREFIX_BYTES = 2;
    private static final int RAW_BYTES = 32;
    private static final int CHECKSUM_BYTES = 2;

    private final NKey nkey;
    private final String id;
    private final String seed;

    /** The first letter of the id, and how NATS encodes it. */
    enum Kind {
        OPERATOR('O', 14 << 3),
        ACCOUNT('A', 0),
        USER('U', 20 << 3);

        private final char letter;
        private final int prefix;

        Kind(char letter, int prefix) {
            this.letter = letter;
            this.prefix = prefix;
        }
    }

    private Key(NKey nkey, String id, String seed) {
        this.nkey = nkey;
        this.id = id;
        this.seed = seed;
    }

    /** The key with these 32 bytes. The client library only creates random keys, so the seed is encoded here. */
    static Key of(Kind kind, byte[] raw) {
        final ByteBuffer bytes =
                ByteBuffer.allocate(PREFIX_BYTES + RAW_BYTES + CHECKSUM_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) (SEED | kind.prefix >> 5)).put((byte) ((kind.prefix & 31) << 3));
        bytes.put(raw, 0, RAW_BYTES);
        bytes.putShort(checksum(bytes.array(), PREFIX_BYTES + RAW_BYTES));
        final char[] seed = Encoding.base32Encode(bytes.array());
        final NKey nkey = NKey.fromSeed(seed);
        try {
            return new Key(nkey, new String(nkey.getPublicKey()), new String(seed));
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("every JVM has Ed25519", e);
        }
    }

    /**
     * An account's key from another owner.
     *
     * @throws IllegalArgumentException with a sentence when the seed is not an account's
     */
    public static Key ofAccount(String seed) {
        return ofSeed(Kind.ACCOUNT, seed);
    }

    /**
     * An operator's key from another owner.
     *
     * @throws IllegalArgumentException with a sentence when the seed is not an operator's
     */
    public static Key ofOperator(String seed) {
        return ofSeed(Kind.OPERATOR, seed);
    }

    private static Key ofSeed(Kind kind, String seed) {
        try {
            final NKey nkey = NKey.fromSeed(seed.toCharArray());
            final String id = new String(nkey.getPublicKey());
            if (id.charAt(0) == kind.letter) {
                return new Key(nkey, id, seed);
            }
        } catch (IllegalArgumentException | GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("it is no seed of an nkey, which begins with S" + kind.letter, e);
        }
        throw new IllegalArgumentException("it is the seed of another kind of nkey than S" + kind.letter + "…");
    }

    /** CRC-16/XMODEM. */
    private static short checksum(byte[] bytes, int length) {
        int crc = 0;
        for (int i = 0; i < length; i++) {
            crc ^= (bytes[i] & 0xff) << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) == 0 ? crc << 1 : crc << 1 ^ 0x1021;
            }
        }
        return (short) crc;
    }

    /** The public key. */
    public String id() {
        return id;
    }

    /** The private key, as NATS's clients read it. */
    String seed() {
        return seed;
    }

    public byte[] sign(byte[] message) {
        try {
            return nkey.sign(message);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("every JVM has Ed25519", e);
        }
    }

    NKey nkey() {
        return nkey;
    }
}
