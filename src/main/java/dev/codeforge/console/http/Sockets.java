package dev.codeforge.console.http;

import dev.codeforge.console.hub.Closing;
import dev.codeforge.console.hub.Hub;
import dev.codeforge.console.hub.Message;
import dev.codeforge.console.hub.Outlet;
import dev.codeforge.console.hub.Refusal;
import dev.codeforge.console.identity.Callers.UnansweredException;
import io.javalin.websocket.WsConfig;
import io.javalin.websocket.WsContext;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;

/** WebSockets: a frame has one or more messages, one per line. */
final class Sockets implements AutoCloseable {
    private static final Duration SIGN_IN = Duration.ofSeconds(5);
    private static final Duration PING = Duration.ofSeconds(20);
    private static final Duration IDLE = Duration.ofSeconds(60);
    /** A client that does not read does not read the close frame either, so the connection is cut after this time. */
    private static final Duration CUT = Duration.ofSeconds(2);

    /** Limit of a message in, and of a frame out by Jetty's limit. */
    private static final int FRAME_BYTES = 64 << 10;

    /** A character has at most three bytes in UTF-8. */
    private static final int FRAME_CHARACTERS = FRAME_BYTES / 3;

    private final Visitors visitors;
    private final Map<String, Visitor> signedIn = new ConcurrentHashMap<>();
    /** Connections that have sent their token: the API server may take a while to identify the user. */
    private final Set<String> saidHello = ConcurrentHashMap.newKeySet();

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("live-sockets").daemon().factory());

    Sockets(Visitors visitors) {
        this.visitors = visitors;
    }

    void configure(WsConfig socket) {
        socket.onConnect(context -> {
            context.session.setIdleTimeout(IDLE);
            context.session.setMaxTextMessageSize(FRAME_BYTES);
            context.enableAutomaticPings(PING.toSeconds(), TimeUnit.SECONDS);
            final Optional<String> token = Bearer.token(context.header("Authorization"));
            if (token.isPresent()) {
                signIn(context, token.get());
            } else {
                timer.schedule(
                        () -> {
                            if (!saidHello.contains(context.sessionId())) {
                                close(context.session, Closing.SILENT);
                            }
                        },
                        SIGN_IN.toSeconds(),
                        TimeUnit.SECONDS);
            }
        });
        socket.onMessage(context -> hear(context, context.message()));
        socket.onClose(context -> leave(context.sessionId()));
        socket.onError(context -> leave(context.sessionId()));
    }

    private void leave(String session) {
        saidHello.remove(session);
        Optional.ofNullable(signedIn.remove(session)).ifPresent(visitors::leave);
    }

    private void hear(WsContext context, String text) {
        final Visitor visitor = signedIn.get(context.sessionId());
        try {
            final RequestReader.Said said = RequestReader.read(text);
            if (visitor == null) {
                if (said instanceof RequestReader.Said.Hello hello) {
                    saidHello.add(context.sessionId());
                    signIn(context, hello.token());
                } else {
                    close(context.session, Closing.SIGN_IN);
                }
                return;
            }
            switch (said) {
                case RequestReader.Said.Hello ignored ->
                    refuse(visitor, "this connection is signed in: open another one for another user");
                case RequestReader.Said.Subscribe subscribe -> visitor.subscribe(subscribe.request());
                case RequestReader.Said.Unsubscribe unsubscribe -> visitor.unsubscribe(unsubscribe.id());
                case RequestReader.Said.Ping ignored -> visitor.client().offer(Message.pong());
            }
        } catch (RequestReader.InvalidRequestException e) {
            if (visitor == null) {
                close(context.session, Closing.SIGN_IN);
            } else {
                refuse(visitor, e.getMessage());
            }
        }
    }

    private static void refuse(Visitor visitor, String sentence) {
        visitor.client().offer(Message.error("", Refusal.Invalid, sentence));
    }

    private void signIn(WsContext context, String token) {
        try {
            final Visitors.Entrance entrance = visitors.enter(token, outlet(context.session));
            if (entrance.visitor().isEmpty()) {
                close(context.session, entrance.refusal());
                return;
            }
            final Visitor visitor = entrance.visitor().get();
            signedIn.put(context.sessionId(), visitor);
            visitor.client().offer(Message.welcome(visitor.user(), (int) Hub.HEARTBEAT.toSeconds()));
            if (!context.session.isOpen()) {
                leave(context.sessionId());
            }
        } catch (UnansweredException e) {
            LiveServer.LOG.info("a caller has to wait: {}", e.getMessage());
            close(context.session, Closing.UNAVAILABLE);
        }
    }

    private Outlet outlet(Session session) {
        return new Outlet() {
            @Override
            public void send(List<Message> messages, Runnable sent) {
                final String frame = messages.stream().map(Message::json).collect(Collectors.joining("\n"));
                sendFrom(session, frame, 0, sent);
            }

            @Override
            public void close(Closing why) {
                Sockets.this.close(session, why);
            }
        };
    }

    /** A message may be larger than a frame. */
    private static void sendFrom(Session session, String text, int from, Runnable sent) {
        final boolean last = text.length() - from <= FRAME_CHARACTERS;
        int end = last ? text.length() : from + FRAME_CHARACTERS;
        if (!last && Character.isHighSurrogate(text.charAt(end - 1))) {
            end--;
        }
        final int next = end;
        // Jetty calls back before it knows that the message has ended, so the next message starts on a thread of its
        // own.
        final Runnable then = last ? () -> Thread.startVirtualThread(sent) : () -> sendFrom(session, text, next, sent);
        session.sendPartialText(text.substring(from, end), last, Callback.from(then, failure -> session.disconnect()));
    }

    private void close(Session session, Closing why) {
        session.close(why.code(), why.sentence(), Callback.NOOP);
        timer.schedule(session::disconnect, CUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        timer.shutdown();
    }
}
