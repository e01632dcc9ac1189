package dev.codeforge.console.hub;

import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The start of a subscription: first the snapshot, then the entries that the client missed, until it has caught up. It
 * waits for the client and blocks no other.
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

    /** Streams drop their oldest entries first: while the last seen one is there, no later entry is lost. */
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
