package dev.codeforge.identity;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** All keys of an installation, derived from one secret: there is nothing else to keep, and nothing to lose beside it. */
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
                    + " are needed: delete its Secret, and start the operator and then NATS anew");
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

    /** Of the account that changes accounts. */
    Key system() {
        return system;
    }

    /** Of the account that has the streams, and the operator as its user. */
    public Key streams() {
        return streams;
    }

    /** Of the account of those who ask for tasks. */
    Key clients() {
        return clients;
    }

    /** Of the account of those who follow tasks. */
    Key viewers() {
        return viewers;
    }

    /** By uid: an account that was deleted is refused for ever, so that a namespace of the same name needs another. */
    Key namespace(String uid) {
        return derive(Key.Kind.ACCOUNT, "namespace\n" + uid);
    }

    /** By uid: a pool of the same name is another user, and its predecessor's credential is of no use to it. */
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
