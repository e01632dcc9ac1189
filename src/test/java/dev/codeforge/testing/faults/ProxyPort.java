package dev.codeforge.testing.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A port of this machine whose connections can be cut, and which can refuse new ones. Each has a thread of its own. */
final class ProxyPort implements AutoCloseable {
    private final ServerSocket server;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean refusing;

    @FunctionalInterface
    interface Handler {
        /** Serves one connection; it is cut when this returns or throws. */
        void serve(Socket connection) throws IOException;
    }

    ProxyPort(Handler handler) {
        try {
            server = new ServerSocket(0, 128, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().name("proxy-" + number()).start(() -> accept(handler));
    }

    int number() {
        return server.getLocalPort();
    }

    private void accept(Handler handler) {
        while (!server.isClosed()) {
            try {
                final Socket connection = server.accept();
                if (refusing) {
                    reset(connection);
                } else {
                    Thread.ofVirtual().start(() -> serve(handler, connection));
                }
            } catch (IOException e) {
                // Closed, which the loop sees.
            }
        }
    }

    private void serve(Handler handler, Socket connection) {
        connections.add(connection);
        try {
            connection.setTcpNoDelay(true);
            handler.serve(connection);
        } catch (IOException e) {
            // One of the two sides went away: the other is cut too.
        } finally {
            connections.remove(connection);
            reset(connection);
        }
    }

    /** New connections are reset at once until {@link #accept()}; those that stand are left. */
    void refuse() {
        refusing = true;
    }

    void accept() {
        refusing = false;
    }

    /** Resets all connections that stand. */
    void cut() {
        connections.forEach(ProxyPort::reset);
    }

    /** Ends a connection as a crash does, without waiting for what is not sent yet. */
    static void reset(Socket connection) {
        try {
            connection.setSoLinger(true, 0);
            connection.close();
        } catch (IOException e) {
            // It is closed already.
        }
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cut();
    }
}
