package dev.codeforge.testing.faults;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.locks.LockSupport;

/** Asks a process over HTTP how it is, as the kubelet does. */
final class HttpProbe {
    private static final int PATIENCE_MILLIS = 10_000;
    private static final long PAUSE_NANOS = Duration.ofMillis(50).toNanos();

    private final int port;

    HttpProbe(int port) {
        this.port = port;
    }

    boolean isGood(String path) {
        try {
            final HttpURLConnection connection = (HttpURLConnection)
                    URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
            connection.setConnectTimeout(PATIENCE_MILLIS);
            connection.setReadTimeout(PATIENCE_MILLIS);
            final int status = connection.getResponseCode();
            connection.disconnect();
            return status == HttpURLConnection.HTTP_OK;
        } catch (IOException e) {
            return false;
        }
    }

    String text(String path) {
        try (InputStream in =
                URI.create("http://127.0.0.1:" + port + path).toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void awaitGood(String path, Duration patience, ChildProcess process) {
        final Instant end = Instant.now().plus(patience);
        while (!isGood(path)) {
            if (!process.isAlive()) {
                throw new AssertionError("it ended while " + path + " was awaited:\n" + process.logText());
            }
            if (Instant.now().isAfter(end)) {
                throw new AssertionError(path + " was not good within " + patience + ":\n" + process.logText());
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }
}
