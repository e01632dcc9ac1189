package dev.codeforge.jetstream;

import dev.codeforge.wire.Subjects;
import dev.codeforge.wire.TaskRef;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** {@link Control} over core NATS. */
final class NatsControl implements Control {
    private static final long AGAIN_MILLIS = 300;
    private final NatsRequests requests;

    NatsControl(NatsConnection nats) {
        this.requests = new NatsRequests(nats);
    }

    /** Asks until the time is over: after an outage a holder may be back later than we are. */
    @Override
    public Optional<Holder> holder(TaskRef task, Duration timeout) {
        final long end = System.nanoTime() + timeout.toNanos();
        while (true) {
            final Optional<Holder> answer = ask(task, timeout);
            if (answer.isPresent() || System.nanoTime() >= end) {
                return answer;
            }
            pause();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(AGAIN_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while asking for a holder", e);
        }
    }

    private Optional<Holder> ask(TaskRef task, Duration timeout) {
        return requests.ask(task.namespace(), Subjects.holder(task), Map.of(), timeout)
                .map(answer -> new Holder(
                        answer.path("worker").asText(),
                        answer.path("attempt").asInt(),
                        answer.path("delivery").asInt()));
    }

    @Override
    public boolean cancel(TaskRef task, int attempt, String type, String reason, Duration timeout) {
        return requests.ask(
                        task.namespace(),
                        Subjects.control(task),
                        Map.of("action", "cancel", "attempt", attempt, "type", type, "reason", reason),
                        timeout)
                .map(answer -> answer.path("accepted").asBoolean())
                .orElse(false);
    }
}
