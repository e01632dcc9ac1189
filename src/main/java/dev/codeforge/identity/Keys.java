package dev.codeforge.identity;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** All keys of an installation, derived from one secret, which is the only thing to store. */
public final class Keys {
    private static final int BYTES = 32;

    private final byte[] master;
    private final Key operator;
    private final Key system;
    private final Key streams;
    private final Key clients;
    private final Key viewers;

    /** @throws IllegalArgumentException with a sentence on what to do when the secret is too short */
    public Keys(byte[] master) {
        if (master.length < BYTES) {
            throw new IllegalArgumentException("the master key of NATS's identities has " + master.length
                    + " bytes, at least " + BYTES
                    + " are needed: delete its Secret, and restart the operator and then NATS");
        }
        this.master = master.clone();
        this.operator = derive(Key.Kind.OPERATOR, "operator");
        this.system = derive(Key.Kind.ACCOUNT, "system");
        this.streams = derive(Key.Kind.ACCOUNT, "streams");
        this.clients = derive(Key.Kind.ACCOUNT, "clients");
        this.viewers = derive(Key.Kind.ACCOUNT, "viewers");
    }

    public static byte[] generate() {
        final byte[] bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }

    Key operator() {
        return operator;
    }

    /** Of the account with the right to change accounts. */
    Key system() {
        return system;
    }

    /** Of the account with the streams; the operator is a user of it. */
    public Key streams() {
        return streams;
    }

    /** Of the account of clients, which request tasks. */
    Key clients() {
        return clients;
    }

    /** Of the account of viewers, which follow tasks. */
    Key viewers() {
        return viewers;
    }

    /** By UID: a deleted account is refused for ever, so a namespace that is created again needs another. */
    Key namespace(String uid) {
        return derive(Key.Kind.ACCOUNT, "namespace\n" + uid);
    }

    /** By UID: a pool that is created again is another user, and the old pool's credential does not work for it. */
    Key pool(String uid) {
        return derive(Key.Kind.USER, "pool\n" + uid);
    }

    Key user(String purpose) {
        return derive(Key.Kind.USER, "user\n" + purpose);
    }

    private Key derive(Key.Kind kind, String purpose) {
        try {
            final Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(master, "HmacSHA256"));
            return Key.of(kind, mac.doFinal(purpose.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has HmacSHA256", e);
        }
    }
}
