package dev.codeforge.console.http;

import dev.codeforge.console.ConsoleSettings;
import dev.codeforge.console.hub.Hub;
import dev.codeforge.console.identity.Callers;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.SessionHandler;
import org.eclipse.jetty.ee10.websocket.server.config.JettyWebSocketServletContainerInitializer;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.websocket.core.server.WebSocketServerComponents;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code GET /ws} and {@code GET /events}. */
public final class LiveServer implements AutoCloseable {
    static final Logger LOG = LoggerFactory.getLogger(LiveServer.class);
    /**
     * Without this the kernel buffers megabytes for a client that does not read, and hides for a long time that the
     * client is slow.
     */
    private static final int SEND_BUFFER = 64 << 10;

    /** Longer than {@link Sockets} waits for an answer to a close frame. */
    private static final Duration FAREWELL = Duration.ofSeconds(5);

    private final ConsoleSettings settings;
    private final Visitors visitors;
    private final Sockets sockets;
    private final EventStreams streams;
    private final Javalin server;

    public LiveServer(ConsoleSettings settings, Hub hub, Callers callers) {
        this.settings = settings;
        this.visitors = new Visitors(
                hub, callers, settings.namespaces(), settings.limits().connections());
        this.sockets = new Sockets(visitors);
        this.streams = new EventStreams(visitors);
        this.server = Javalin.create(this::configure);
    }

    /** @return the port */
    public int start() {
        server.start();
        return server.port();
    }

    private void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.concurrency.useVirtualThreads = true;
        config.router.contextPath = settings.pathPrefix().isEmpty() ? "/" : settings.pathPrefix();
        config.http.prefer405over404 = true;
        config.jetty.addConnector(this::connector);
        config.jetty.modifyServletContextHandler(LiveServer::withoutSessionsAndCompression);
        config.routes.wsBeforeUpgrade("/ws", this::checkOrigin);
        config.routes.ws("/ws", sockets::configure);
        config.routes.before("/events", context -> {
            checkOrigin(context);
            streams.admit(context);
        });
        config.routes.sse("/events", streams::stream);
        config.routes.exception(ProblemException.class, (problem, context) -> {
            context.status(problem.status())
                    .contentType("application/problem+json")
                    .result(problem.body());
            if (problem.status() == 401) {
                context.header("WWW-Authenticate", "Bearer");
            }
        });
    }

    private ServerConnector connector(Server jetty, HttpConfiguration http) {
        final ServerConnector connector = new ServerConnector(jetty, new HttpConnectionFactory(http));
        connector.setPort(settings.port());
        connector.setAcceptedSendBufferSize(SEND_BUFFER);
        return connector;
    }

    /** Sessions and a deflater for each socket would use most of the memory. */
    private static void withoutSessionsAndCompression(ServletContextHandler handler) {
        final SessionHandler sessions = new SessionHandler();
        sessions.setUsingCookies(false);
        sessions.setMaxInactiveInterval(60);
        handler.setSessionHandler(sessions);
        JettyWebSocketServletContainerInitializer.configure(
                handler, (context, container) -> WebSocketServerComponents.getWebSocketComponents(handler)
                        .getExtensionRegistry()
                        .unregister("permessage-deflate"));
    }

    /** Refuses foreign origins: their pages could open a socket with the user's credentials in the browser. */
    private void checkOrigin(Context context) {
        final String origin = context.header("Origin");
        if (origin != null
                && !settings.origins().contains(origin)
                && !authority(origin).equals(Optional.ofNullable(context.header("Host")))) {
            throw new ProblemException(
                    403,
                    "Forbidden",
                    "pages of " + origin + " may not connect: add it to the chart's console.origins to allow them");
        }
    }

    private static Optional<String> authority(String origin) {
        try {
            return Optional.ofNullable(URI.create(origin).getAuthority());
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Call this after the hub has closed. */
    @Override
    public void close() {
        visitors.awaitNone(FAREWELL);
        visitors.close();
        sockets.close();
        server.stop();
    }
}
