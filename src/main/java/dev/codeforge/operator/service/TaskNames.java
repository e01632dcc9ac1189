package dev.codeforge.operator.service;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.UUID;

/**
 * Names of requested AgentTasks. They are deterministic: a create whose answer was lost is repeated and finds its own
 * task.
 */
final class TaskNames {
    private static final int DIGITS = 32;

    private TaskNames() {}

    static String of(Ask ask) {
        return ask.key()
                .map(key -> prefix(ask) + digest(ask.namespace() + "\n" + ask.pool() + "\n" + key))
                .orElseGet(() -> prefix(ask) + UUID.randomUUID().toString().replace("-", ""));
    }

    static String prefix(Ask ask) {
        return ask.pool() + "-";
    }

    private static String digest(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)))
                    .substring(0, DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
