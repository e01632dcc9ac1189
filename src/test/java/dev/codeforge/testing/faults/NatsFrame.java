package dev.codeforge.testing.faults;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * One operation of the NATS client protocol, with its payload.
 *
 * @param subject of what is published or delivered, else empty
 * @param reply subject for its answer, else empty
 * @param bytes all of it as it came
 */
record NatsFrame(String operation, String subject, String reply, byte[] bytes) {

    /** Empty at the end of the connection. */
    static Optional<NatsFrame> read(InputStream in) throws IOException {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                return Optional.empty();
            }
            bytes.write(next);
        }
        bytes.write('\n');
        final String[] words = bytes.toString(StandardCharsets.UTF_8).strip().split("\\s+");
        final String operation = words[0].toUpperCase(Locale.ROOT);
        return Optional.of(
                switch (operation) {
                    case "PUB", "MSG" -> payload(operation, words, 1, in, bytes);
                    case "HPUB", "HMSG" -> payload(operation, words, 2, in, bytes);
                    default -> new NatsFrame(operation, "", "", bytes.toByteArray());
                });
    }

    /** @param sizes numbers at the end of the line; the last is the length of what follows */
    private static NatsFrame payload(
            String operation, String[] words, int sizes, InputStream in, ByteArrayOutputStream bytes)
            throws IOException {
        // A delivery names its subscription between subject and reply.
        final int fixed = operation.endsWith("MSG") ? 3 : 2;
        final String reply = words.length > fixed + sizes ? words[fixed] : "";
        final int length = Integer.parseInt(words[words.length - 1]) + 2;
        final byte[] payload = in.readNBytes(length);
        if (payload.length < length) {
            throw new EOFException("cut within a payload");
        }
        bytes.write(payload);
        return new NatsFrame(operation, words[1], reply, bytes.toByteArray());
    }

    boolean isPublication() {
        return operation.endsWith("PUB");
    }

    boolean isDelivery() {
        return operation.endsWith("MSG");
    }

    /** Whether a subject is of a pattern with the wildcards {@code *} and {@code >}. */
    static boolean matches(String pattern, String subject) {
        final String[] wanted = pattern.split("\\.");
        final String[] is = subject.split("\\.");
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i].equals(">")) {
                return is.length > i;
            }
            if (i >= is.length || !(wanted[i].equals("*") || wanted[i].equals(is[i]))) {
                return false;
            }
        }
        return wanted.length == is.length;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NatsFrame frame && Arrays.equals(bytes, frame.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return operation + " " + subject;
    }
}
