package dev.codeforge.console.hub;

import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The beginning of a subscription: what is there, then what the client has missed, until it is as far as everybody. It waits for
 * the client, and holds up nobody.
 */
final class Opening {
    private static final Logger LOG = LoggerFactory.getLogger(Opening.class);

    private final Hub hub;
    private final Subscription subscription;
    private final Request request;

    Opening(Hub hub, Subscription subscription) {
        this.hub = hub;
        this.subscription = subscription;
        this.request = subscription.request();
    }

    void run() {
        try {
            hub.awaitFilled();
            final Optional<Reception> lines = request.has(Topic.LOG) ? hub.watch(subscription) : Optional.empty();
            if (request.has(Topic.LOG) && lines.isEmpty()) {
                refuse(
                        Refusal.NotFound,
                        "there is no AgentTask " + request.namespace() + "/"
                                + request.task().orElse("") + ": a log is of one task that exists");
                return;
            }
            final Optional<Reception> events =
                    request.has(Topic.EVENTS) ? Optional.of(hub.receiveEvents(subscription)) : Optional.empty();
            if (isTooOld(events, request.afterEvent()) || isTooOld(lines, request.afterLine())) {
                refuse(
                        Refusal.TooOld,
                        "what came after this sequence is not kept any more: subscribe with 0 for all that is kept");
                return;
            }
            hub.register(subscription);
            while (hub.showNext(subscription)) {
                subscription.client().awaitRoom();
            }
            final long event = caughtUp(events);
            final long line = caughtUp(lines);
            subscription.client().offer(Message.synced(request, event, line));
        } catch (InterruptedException e) {
            LOG.debug("subscription {} ended before it was synced", request.id());
        }
    }

    private void refuse(Refusal refusal, String sentence) {
        hub.end(subscription.client(), request.id(), refusal, sentence);
    }

    /** Streams lose their oldest: while the one that was seen last is there, nothing after it is gone. */
    private boolean isTooOld(Optional<Reception> reception, Optional<Long> seen) throws InterruptedException {
        if (reception.isEmpty() || seen.orElse(0L) == 0) {
            return false;
        }
        return !reception.get().feed().reader().has(seen.orElseThrow(), subscription::isOver);
    }

    private static long caughtUp(Optional<Reception> reception) throws InterruptedException {
        return reception.isPresent() ? reception.get().catchUp() : Message.SAME;
    }
}
