package dev.codeforge.console.http;

import dev.codeforge.console.hub.Closing;
import dev.codeforge.console.hub.Message;
import dev.codeforge.console.hub.Outlet;
import dev.codeforge.console.hub.Request;
import dev.codeforge.console.identity.Callers.UnansweredException;
import io.javalin.http.Context;
import io.javalin.http.sse.SseClient;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Server-sent events, for {@code curl} and programs: one subscription per stream, each message an event with an id. */
final class EventStreams {
    private static final String MEDIA_TYPE = "text/event-stream";
    private static final String REQUEST = "codeforge.request";
    private static final String TOKEN = "codeforge.token";

    private final Visitors visitors;

    EventStreams(Visitors visitors) {
        this.visitors = visitors;
    }

    /**
     * Checks the request before the answer starts. A later refusal would look like a lost connection, and the client
     * would retry.
     */
    void admit(Context context) {
        if (!Optional.ofNullable(context.header("Accept")).orElse("").contains(MEDIA_TYPE)) {
            throw new ProblemException(406, "NotAcceptable", "ask for a stream: Accept: " + MEDIA_TYPE);
        }
        final Optional<String> token = Bearer.token(context.header("Authorization"));
        if (token.isEmpty()) {
            throw new ProblemException(401, "Unauthorized", "send a token of the API server: Authorization: Bearer …");
        }
        try {
            final Request request =
                    RequestReader.query(context.queryParamMap(), Optional.ofNullable(context.header("Last-Event-ID")));
            final Optional<ProblemException> problem = visitors.problem(token.get(), request);
            if (problem.isPresent()) {
                throw problem.get();
            }
            context.attribute(REQUEST, request);
            context.attribute(TOKEN, token.get());
            // nginx buffers responses unless this header is set.
            context.header("X-Accel-Buffering", "no");
            context.header("Cache-Control", "no-store");
        } catch (RequestReader.InvalidRequestException e) {
            throw new ProblemException(400, "Invalid", e.getMessage());
        } catch (UnansweredException e) {
            throw new ProblemException(503, "Unavailable", e.getMessage());
        }
    }

    void stream(SseClient stream) {
        final Request request = stream.ctx().attribute(REQUEST);
        final String token = stream.ctx().attribute(TOKEN);
        if (request == null || token == null) {
            throw new IllegalStateException("the stream was not admitted");
        }
        stream.keepAlive();
        final StreamOutlet outlet = new StreamOutlet(stream, request);
        final Visitors.Entrance entrance = visitors.enter(token, outlet);
        if (entrance.visitor().isEmpty()) {
            stream.close();
            return;
        }
        final Visitor visitor = entrance.visitor().get();
        stream.onClose(() -> visitors.leave(visitor));
        visitor.subscribe(request);
        outlet.endWhen(() -> visitor.client().requests().isEmpty());
        if (stream.terminated()) {
            visitors.leave(visitor);
        }
    }

    /** Ends with its subscription, whose last message has the reason. */
    private static final class StreamOutlet implements Outlet {
        private final SseClient stream;
        private volatile BooleanSupplier ended = () -> false;
        private EventId position;

        StreamOutlet(SseClient stream, Request request) {
            this.stream = stream;
            this.position = new EventId(request.afterEvent(), request.afterLine());
        }

        void endWhen(BooleanSupplier subscriptionHasEnded) {
            ended = subscriptionHasEnded;
        }

        @Override
        public void send(List<Message> messages, Runnable sent) {
            Thread.ofVirtual().start(() -> {
                final boolean last = ended.getAsBoolean();
                for (final Message message : messages) {
                    stream.sendEvent("message", message.json(), next(message));
                }
                if (last) {
                    stream.close();
                } else {
                    sent.run();
                }
            });
        }

        private synchronized String next(Message message) {
            position = position.with(message);
            return position.toString();
        }

        @Override
        public void close(Closing why) {
            Thread.ofVirtual().start(stream::close);
        }
    }
}
