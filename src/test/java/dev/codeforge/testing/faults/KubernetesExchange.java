package dev.codeforge.testing.faults;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** One connection of a client through a {@link KubernetesProxy}, request by request. */
final class KubernetesExchange {
    private final KubernetesProxy proxy;
    private final ApiServerConnection server;
    private final Socket client;

    KubernetesExchange(KubernetesProxy proxy, URI url, Socket client) {
        this.proxy = proxy;
        this.server = new ApiServerConnection(url);
        this.client = client;
    }

    void serve() throws IOException {
        final InputStream in = new BufferedInputStream(client.getInputStream());
        final OutputStream out = client.getOutputStream();
        try {
            while (true) {
                final Optional<HttpHead> head = HttpHead.read(in);
                if (head.isEmpty() || !serve(proxy.late(head.get().inHttp1()), in, out)) {
                    return;
                }
            }
        } finally {
            server.close();
        }
    }

    /** False when the connection is to be cut. */
    private boolean serve(HttpHead head, InputStream in, OutputStream out) throws IOException {
        final ApiRequest request = head.request();
        final ByteArrayOutputStream body = new ByteArrayOutputStream();
        HttpBody.copyRequest(head, in, body, proxy.everything());
        proxy.everything().pass();
        final Optional<Fault> fault = proxy.faultFor(request);
        switch (fault.orElse(null)) {
            case Fault.Instead instead -> {
                proxy.record(request, 0);
                instead.action().run();
                return false;
            }
            case Fault.Answer answer -> {
                proxy.record(request, answer.status());
                answer(answer.status(), out);
                return true;
            }
            case Fault.Before before -> before.action().run();
            case Fault.Delay delay -> LockSupport.parkNanos(delay.time().toNanos());
            case Fault.AnswerLost lost -> {}
            case Fault.Silence silence -> {}
            case null -> {}
        }
        final HttpHead answered;
        try {
            server.ensure();
            final OutputStream forward = new BufferedOutputStream(server.out());
            head.writeTo(forward);
            body.writeTo(forward);
            forward.flush();
            answered = HttpHead.read(server.in()).orElseThrow(() -> new IOException("the API server went away"));
        } catch (IOException e) {
            proxy.record(request, 0);
            throw e;
        }
        proxy.record(request, answered.status());
        if (fault.isPresent() && fault.get() instanceof Fault.AnswerLost lost) {
            lost.action().run();
            return false;
        }
        if (fault.isPresent() && fault.get() instanceof Fault.Silence) {
            // Until the client gives up.
            in.transferTo(OutputStream.nullOutputStream());
            return false;
        }
        proxy.everything().pass();
        answered.writeTo(out);
        if (answered.status() == 101) {
            tunnel(request, in, out);
            return false;
        }
        return HttpBody.copyAnswer(answered, request.verb(), server.in(), out, proxy.gateOf(request));
    }

    /** After an upgrade: bytes both ways until one side ends it. */
    private void tunnel(ApiRequest request, InputStream in, OutputStream out) throws IOException {
        final OutputStream toServer = server.out();
        Thread.ofVirtual().start(() -> {
            try {
                HttpBody.copyRest(in, toServer, proxy.everything());
            } catch (IOException e) {
                // Ended below.
            } finally {
                server.close();
            }
        });
        HttpBody.copyRest(server.in(), out, proxy.gateOf(request));
    }

    private static void answer(int status, OutputStream out) throws IOException {
        final byte[] body = ("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":"
                        + "\"as the test wants it\",\"code\":" + status + "}")
                .getBytes(StandardCharsets.UTF_8);
        new HttpHead(
                        "HTTP/1.1 " + status + " Injected",
                        List.of("Content-Type: application/json", "Content-Length: " + body.length))
                .writeTo(out);
        out.write(body);
        out.flush();
    }
}
