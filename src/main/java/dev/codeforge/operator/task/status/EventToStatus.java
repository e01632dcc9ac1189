package dev.codeforge.operator.task.status;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import dev.codeforge.operator.status.Reason;
import dev.codeforge.wire.TaskEvent;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Maps the parts of an event to the status. */
public final class EventToStatus {
    private static final int HISTORY = 10;
    private static final Pattern REASON = Pattern.compile("[A-Z][A-Za-z0-9]{0,63}");

    private EventToStatus() {}

    /** Of a terminal event. */
    static Phase outcome(TaskEvent event) {
        return switch (event.kind()) {
            case COMPLETED -> Phase.Succeeded;
            case CANCELLED -> Phase.Cancelled;
            default -> Phase.Failed;
        };
    }

    static AgentTaskStatus.@Nullable Failure failure(TaskEvent event, Phase outcome) {
        if (outcome == Phase.Succeeded) {
            return null;
        }
        if (event.failure() == null) {
            return new AgentTaskStatus.Failure(outcome.name(), event.error(), false);
        }
        final String type = REASON.matcher(event.failure().type()).matches()
                ? event.failure().type()
                : "AgentFailed";
        return new AgentTaskStatus.Failure(
                type, event.failure().message(), event.failure().retryable());
    }

    static List<AgentTaskStatus.HistoryEntry> history(
            AgentTaskStatus before,
            TaskEvent event,
            Phase outcome,
            @Nullable Instant start,
            Instant completion,
            AgentTaskStatus.@Nullable Failure error) {
        final List<AgentTaskStatus.HistoryEntry> entries = new ArrayList<>(before.history());
        entries.add(new AgentTaskStatus.HistoryEntry(
                event.attempt(), event.worker().isEmpty() ? null : event.worker(), start, completion, outcome, error));
        return entries.subList(Math.max(0, entries.size() - HISTORY), entries.size());
    }

    /** The history with an entry for a released run. An event that is read twice adds one entry. */
    static List<AgentTaskStatus.HistoryEntry> givenBack(AgentTaskStatus before, TaskEvent event, Instant at) {
        final AgentTaskStatus.@Nullable Failure why = event.failure() == null
                ? new AgentTaskStatus.Failure(Reason.Released.name(), Reason.Released.meaning(), true)
                : failure(event, Phase.Queued);
        final Instant start =
                event.startTime() == null ? null : event.startTime().truncatedTo(ChronoUnit.MILLIS);
        final boolean known = before.history().stream()
                .anyMatch(entry -> entry.outcome() == Phase.Queued
                        && entry.attempt() == event.attempt()
                        && event.worker().equals(entry.podName())
                        && Objects.equals(start, entry.startTime()));
        return known ? before.history() : history(before, event, Phase.Queued, start, at, why);
    }

    /**
     * When the run of an event started. If a worker's clock is set during a run, its next event implies another start;
     * the later of the two applies, so that no run is ended early.
     */
    public static Optional<Instant> started(AgentTaskStatus before, Optional<TaskEvent> event) {
        final Optional<Instant> known = Optional.ofNullable(before.startTime());
        final Optional<Instant> told = event.map(TaskEvent::startTime);
        final boolean same = before.phase() == Phase.Running
                && event.filter(run -> run.attempt() == before.attempts()).isPresent();
        return told.map(start ->
                        known.filter(seen -> same && seen.isAfter(start)).orElse(start))
                .or(() -> known);
    }

    static AgentTaskStatus.@Nullable QueuePosition position(AgentTaskStatus before, TaskEvent event) {
        return event.stream().isEmpty()
                ? before.queue()
                : new AgentTaskStatus.QueuePosition(event.stream(), event.sequence());
    }

    /** Usage never decreases: an event that is written after a loss of the results has no usage. */
    public static AgentTaskStatus.Usage usage(AgentTaskStatus before, TaskEvent event) {
        final AgentTaskStatus.Usage told = event.usage() == null
                ? new AgentTaskStatus.Usage(
                        event.tokensIn(), event.tokensOut(), event.costUsd().toPlainString())
                : new AgentTaskStatus.Usage(
                        event.usage().tokensIn(),
                        event.usage().tokensOut(),
                        event.usage().costUsd(),
                        event.usage().unmeteredCalls() == 0
                                ? null
                                : event.usage().unmeteredCalls());
        final AgentTaskStatus.Usage known = before.usage();
        return known == null
                ? told
                : new AgentTaskStatus.Usage(
                        Math.max(known.tokensIn(), told.tokensIn()),
                        Math.max(known.tokensOut(), told.tokensOut()),
                        moreOf(known.costUSD(), told.costUSD()),
                        told.unmeteredCalls() == null ? known.unmeteredCalls() : told.unmeteredCalls());
    }

    private static String moreOf(String known, String told) {
        return BudgetCheck.money(told).compareTo(BudgetCheck.money(known)) < 0 ? known : told;
    }

    /** Deliveries are counted within an attempt and never decrease. */
    static int deliveries(AgentTaskStatus before, TaskEvent event) {
        return event.attempt() > before.attempts() ? event.delivery() : Math.max(before.deliveries(), event.delivery());
    }

    public static AgentTaskStatus.Result result(TaskEvent event) {
        final TaskEvent.@Nullable Result result = event.result();
        final TaskEvent.@Nullable Git git = result == null ? null : result.git();
        return new AgentTaskStatus.Result(
                result == null ? null : result.summary(),
                event.output().isEmpty() ? null : event.output(),
                git == null
                        ? null
                        : new AgentTaskStatus.GitResult(git.baseCommit(), git.branch(), git.commit(), git.pushed()),
                event.files().isEmpty() ? null : event.files(),
                result == null || result.filesTotal() == 0 ? null : result.filesTotal(),
                result == null
                                || result.artifacts() == null
                                || result.artifacts().isEmpty()
                        ? null
                        : artifacts(result.artifacts()),
                result == null ? null : result.artifactsProblem());
    }

    private static List<AgentTaskStatus.Artifact> artifacts(List<TaskEvent.Artifact> told) {
        // Artifacts are a map by name in the status: of two with one name, the later one is kept.
        return told.stream()
                .collect(Collectors.toMap(
                        TaskEvent.Artifact::name, Function.identity(), (first, later) -> later, LinkedHashMap::new))
                .values()
                .stream()
                .map(artifact -> new AgentTaskStatus.Artifact(
                        artifact.name(), artifact.size(), artifact.digest(), artifact.object()))
                .toList();
    }
}
