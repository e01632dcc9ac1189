package dev.codeforge.testing.faults;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** The proxy's way to the API server for one client connection: made anew when the server ended it. */
final class ApiServerConnection implements AutoCloseable {
    private static final SSLContext TRUSTING = trusting();

    private final URI server;
    private Socket socket;
    private InputStream in;

    ApiServerConnection(URI server) {
        this.server = server;
    }

    /** A connection that stands, as far as one can tell before writing to it. */
    void ensure() throws IOException {
        if (socket == null || !stands()) {
            close();
            socket = TRUSTING.getSocketFactory().createSocket(server.getHost(), server.getPort());
            socket.setTcpNoDelay(true);
            in = new BufferedInputStream(socket.getInputStream());
        }
    }

    private boolean stands() {
        try {
            in.mark(1);
            socket.setSoTimeout(1);
            if (in.read() < 0) {
                return false;
            }
            in.reset();
            return true;
        } catch (SocketTimeoutException e) {
            return true;
        } catch (IOException e) {
            return false;
        } finally {
            endless();
        }
    }

    private void endless() {
        try {
            socket.setSoTimeout(0);
        } catch (IOException e) {
            // Closed, as the next use tells.
        }
    }

    InputStream in() {
        return in;
    }

    OutputStream out() throws IOException {
        return socket.getOutputStream();
    }

    @Override
    public void close() {
        if (socket != null) {
            ProxyPort.reset(socket);
        }
    }

    /** The server is ours and its certificate made for this run. */
    private static SSLContext trusting() {
        try {
            final SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    null,
                    new TrustManager[] {
                        new X509TrustManager() {
                            @Override
                            public void checkClientTrusted(X509Certificate[] chain, String type) {}

                            @Override
                            public void checkServerTrusted(X509Certificate[] chain, String type) {}

                            @Override
                            public X509Certificate[] getAcceptedIssuers() {
                                return new X509Certificate[0];
                            }
                        }
                    },
                    null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has TLS", e);
        }
    }
}
