package dev.codeforge.testing.faults;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** One connection of a client through a {@link NatsProxy}, frame by frame. */
final class NatsRelay {
    private final NatsProxy proxy;
    private final URI url;
    private final Socket client;
    private final Gate gate;
    /** Faults of answers that have not come yet, by reply subject. */
    private final Map<String, Fault> awaited = new ConcurrentHashMap<>();

    NatsRelay(NatsProxy proxy, URI url, Socket client) {
        this.proxy = proxy;
        this.url = url;
        this.client = client;
        this.gate = proxy.gate();
    }

    void serve() throws IOException {
        gate.pass();
        try (Socket server = new Socket(url.getHost(), url.getPort())) {
            server.setTcpNoDelay(true);
            final InputStream fromServer = new BufferedInputStream(server.getInputStream());
            Thread.ofVirtual().start(() -> {
                try {
                    toClient(fromServer);
                } catch (IOException e) {
                    // Both sides end together.
                } finally {
                    ProxyPort.reset(client);
                    ProxyPort.reset(server);
                }
            });
            toServer(new BufferedInputStream(client.getInputStream()), server.getOutputStream());
        }
    }

    private void toServer(InputStream in, OutputStream out) throws IOException {
        for (Optional<NatsFrame> next = NatsFrame.read(in); next.isPresent(); next = NatsFrame.read(in)) {
            final NatsFrame frame = next.get();
            gate.pass();
            if (frame.isPublication() && !mayPass(frame)) {
                return;
            }
            final int allowed = proxy.allow(frame.bytes().length);
            out.write(frame.bytes(), 0, allowed);
            out.flush();
            if (allowed < frame.bytes().length) {
                proxy.cut();
                return;
            }
            if (frame.isPublication()) {
                proxy.passed(frame.subject());
            }
        }
    }

    /** False when the connection is to be cut. */
    private boolean mayPass(NatsFrame frame) {
        final Optional<Fault> fault = proxy.faultFor(frame.subject());
        switch (fault.orElse(null)) {
            case Fault.Instead instead -> {
                instead.action().run();
                return false;
            }
            case Fault.Before before -> before.action().run();
            case Fault.Delay delay -> LockSupport.parkNanos(delay.time().toNanos());
            case Fault.AnswerLost lost -> awaited.put(frame.reply(), lost);
            case Fault.Silence silence -> awaited.put(frame.reply(), silence);
            case Fault.Answer answer -> throw new IllegalStateException("refused when it was asked for");
            case null -> {}
        }
        return true;
    }

    private void toClient(InputStream in) throws IOException {
        final OutputStream out = client.getOutputStream();
        for (Optional<NatsFrame> next = NatsFrame.read(in); next.isPresent(); next = NatsFrame.read(in)) {
            final NatsFrame frame = next.get();
            gate.pass();
            final Fault fault = frame.isDelivery() ? awaited.remove(frame.subject()) : null;
            if (fault instanceof Fault.AnswerLost lost) {
                lost.action().run();
                return;
            }
            if (fault == null) {
                out.write(frame.bytes());
                out.flush();
            }
        }
    }
}
