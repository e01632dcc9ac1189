package dev.codeforge.jetstream;

import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The NATS micro service {@code agents}: requests over core NATS, and what they are answered. */
public interface RequestReply {

    /**
     * Serves from now on, through every outage of NATS, until closed. It can be discovered ({@code nats micro ls}) while it
     * serves; nobody else of the same service gets the requests that are handed over here.
     *
     * @param onRequest called for one request after the other: while it has not returned the next ones wait
     */
    AutoCloseable serve(Consumer<Request> onRequest);

    /** A request in hand. */
    interface Request {
        String subject();

        /** The first value of a header. */
        Optional<String> header(String name);

        byte[] body();

        /** Where answers go; empty when nobody waits for one. */
        Optional<Replies> replies();
    }

    /** The way back to who asked; usable at any time, from any thread, any number of times. */
    interface Replies {

        /** @return false when NATS is away: nothing was sent, and the same may be sent later */
        boolean send(byte[] body, Map<String, String> headers);
    }
}
