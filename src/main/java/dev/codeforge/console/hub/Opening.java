package dev.codeforge.console.hub;

import dev.codeforge.jetstream.LiveStreams.Entry;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.ObjLongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The beginning of a subscription: what is there, then what the client has missed, until it is as far as everybody. It waits for
 * the client, and holds up nobody.
 */
final class Opening {
    private static final Logger LOG = LoggerFactory.getLogger(Opening.class);

    private final Hub hub;
    private final StreamReader eventReader;
    private final Subscription subscription;
    private final Request request;

    Opening(Hub hub, StreamReader eventReader, Subscription subscription) {
        this.hub = hub;
        this.eventReader = eventReader;
        this.subscription = subscription;
        this.request = subscription.request();
    }

    void run() {
        try {
            hub.awaitFilled();
            final Optional<LogTail> log = request.has(Topic.LOG) ? hub.watch(subscription) : Optional.empty();
            if (request.has(Topic.LOG) && log.isEmpty()) {
                refuse(
                        Refusal.NotFound,
                        "there is no AgentTask " + request.namespace() + "/"
                                + request.task().orElse("") + ": a log is of one task that exists");
                return;
            }
            if (isTooOld(eventReader, request.has(Topic.EVENTS) ? request.afterEvent() : Optional.empty())
                    || (log.isPresent() && isTooOld(log.get().reader(), request.afterLine()))) {
                refuse(
                        Refusal.TooOld,
                        "what came after this sequence is not kept any more: subscribe with 0 for all that is kept");
                return;
            }
            hub.register(subscription);
            while (hub.showNext(subscription)) {
                subscription.client().awaitRoom();
            }
            final long event = request.has(Topic.EVENTS)
                    ? catchUp(
                            hub.events(),
                            eventReader,
                            request.afterEvent(),
                            hub::sendEvent,
                            Subscription::hearEventsAfter)
                    : Message.SAME;
            final long line = log.isPresent()
                    ? catchUp(
                            log.get().tail(),
                            log.get().reader(),
                            request.afterLine(),
                            Hub::sendLine,
                            Subscription::hearLinesAfter)
                    : Message.SAME;
            subscription.client().offer(Message.synced(request, event, line));
        } catch (InterruptedException e) {
            LOG.debug("subscription {} ended before it was synced", request.id());
        }
    }

    private void refuse(Refusal refusal, String sentence) {
        hub.end(subscription.client(), request.id(), refusal, sentence);
    }

    /** Streams lose their oldest: while the one that was seen last is there, nothing after it is gone. */
    private boolean isTooOld(StreamReader reader, Optional<Long> seen) throws InterruptedException {
        if (seen.orElse(0L) == 0) {
            return false;
        }
        final List<Entry> from = reader.after(seen.get() - 1, subscription::isOver);
        return from.isEmpty() || from.getFirst().sequence() != seen.get();
    }

    /** @return how far it is when it hears with everybody */
    private long catchUp(
            Tail tail,
            StreamReader reader,
            Optional<Long> after,
            BiConsumer<Subscription, Entry> send,
            ObjLongConsumer<Subscription> hear)
            throws InterruptedException {
        OptionalLong position = after.map(OptionalLong::of).orElse(OptionalLong.empty());
        while (!subscription.isOver()) {
            final OptionalLong joined = hub.join(subscription, tail, position, hear);
            if (joined.isPresent()) {
                return joined.getAsLong();
            }
            final List<Entry> missed =
                    position.isPresent() ? reader.after(position.getAsLong(), subscription::isOver) : List.of();
            for (final Entry entry : missed) {
                subscription.client().awaitRoom();
                send.accept(subscription, entry);
                position = OptionalLong.of(entry.sequence());
            }
            if (missed.isEmpty()) {
                Thread.sleep(StreamReader.BEHIND);
            }
        }
        throw new InterruptedException("the subscription has ended");
    }
}
