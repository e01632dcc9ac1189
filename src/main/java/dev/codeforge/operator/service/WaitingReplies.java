package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.operator.task.TaskListener;
import dev.codeforge.wire.TaskEvent;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Callers that wait for the end of a task. A waiting caller needs no thread and a few hundred bytes. */
public final class WaitingReplies implements TaskListener {
    /** NATS does not report that a caller is gone, so callers are removed after this time. */
    private static final Duration LONGEST = Duration.ofHours(24);

    private final Map<String, List<Waiter>> byTask = new ConcurrentHashMap<>();
    private final AtomicInteger size = new AtomicInteger();
    private final Clock clock;

    public WaitingReplies(Clock clock) {
        this.clock = clock;
    }

    /** @param task as it was when the caller registered */
    private record Waiter(AgentTask task, Caller caller, Instant since, AtomicLong toldThrough) {}

    /** Registers a caller. Check the task again afterwards: it may have ended in between. */
    void put(AgentTask task, Caller caller) {
        size.incrementAndGet();
        final Waiter waiter = new Waiter(task, caller, clock.instant(), new AtomicLong());
        byTask.merge(task.uid(), List.of(waiter), (before, added) -> Stream.concat(before.stream(), added.stream())
                .toList());
    }

    /** Number of waiting requests. */
    public int size() {
        return size.get();
    }

    /** The tasks that callers wait for. */
    List<AgentTask> tasks() {
        return byTask.values().stream()
                .map(waiters -> waiters.getFirst().task())
                .toList();
    }

    /** A proven event of an unfinished task has come in; {@code sequence} is its place in the stream. */
    public void event(TaskEvent event, long sequence) {
        for (final Waiter waiter : byTask.getOrDefault(event.taskId(), List.of())) {
            if (waiter.caller().progress() && waiter.toldThrough().getAndAccumulate(sequence, Math::max) < sequence) {
                waiter.caller().tell(Answer.news(event));
            }
        }
    }

    @Override
    public void status(AgentTask task, AgentTaskStatus status) {
        if (status.isTerminal() && !task.isRerunRequested(status)) {
            answer(task.uid(), waiter -> true, waiter -> Answer.outcome(task, status));
        }
    }

    @Override
    public void gone(AgentTask task) {
        final Optional<AgentTaskStatus> end = task.observedStatus().filter(status -> task.isFinished());
        answer(task.uid(), waiter -> true, waiter -> end.map(status -> Answer.outcome(task, status))
                .orElseGet(
                        () -> Answer.refused(Refusal.deleted(task.getMetadata().getName()), Optional.of(task))));
    }

    /** Answers and removes callers that have waited too long. */
    void expire() {
        final Instant oldest = clock.instant().minus(LONGEST);
        for (final String uid : byTask.keySet()) {
            answer(
                    uid,
                    waiter -> waiter.since().isBefore(oldest),
                    waiter -> Answer.refused(
                            Refusal.stillRunning(waiter.task().getMetadata().getName(), LONGEST.toHours()),
                            Optional.of(waiter.task())));
        }
    }

    /** Answers all callers, because this operator stops. */
    void dismiss() {
        for (final String uid : byTask.keySet()) {
            answer(
                    uid,
                    waiter -> true,
                    waiter -> Answer.refused(
                            Refusal.unavailable("The operator stops; AgentTask "
                                    + waiter.task().getMetadata().getName()
                                    + " goes on. Ask again with the same Nats-Msg-Id, or look at the AgentTask."),
                            Optional.of(waiter.task())));
        }
    }

    /** A caller that the answer did not reach stays registered, and the sweep tries again. */
    private void answer(String uid, Predicate<Waiter> whom, Function<Waiter, Answer> answer) {
        byTask.computeIfPresent(uid, (id, waiters) -> {
            final List<Waiter> left = waiters.stream()
                    .filter(waiter -> !(whom.test(waiter) && waiter.caller().finish(answer.apply(waiter))))
                    .toList();
            size.addAndGet(left.size() - waiters.size());
            return left.isEmpty() ? null : left;
        });
    }
}
