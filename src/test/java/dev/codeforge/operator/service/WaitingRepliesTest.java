package dev.codeforge.operator.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.jetstream.RequestReply;
import dev.codeforge.testing.Events;
import dev.codeforge.testing.Resources;
import dev.codeforge.wire.TaskEvent;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whoever waits for a task is answered once, when it has ended. */
final class WaitingRepliesTest {
    private static final AgentTaskStatus SUCCEEDED =
            Resources.of(AgentTaskStatus.class, "{phase: Succeeded, result: {output: hello}}");

    private Instant now = Instant.parse("2026-11-24T09:00:00Z");
    private final WaitingReplies waiting = new WaitingReplies(clock());
    private final AgentTask task = Resources.task("team", "task", "pool");

    @Test
    void allWhoWaitForATaskAreToldItsOutcomeOnce() {
        final Inbox first = waits(false);
        final Inbox second = waits(false);
        waiting.status(task, Resources.of(AgentTaskStatus.class, "{phase: Running}"));
        assertThat(first.received).isEmpty();
        waiting.status(task, SUCCEEDED);
        waiting.status(task, SUCCEEDED);
        assertThat(first.received).hasSize(1).isEqualTo(second.received);
        assertThat(first.received.getFirst())
                .contains("\"name\":\"task\"", "\"phase\":\"Succeeded\"", "\"output\":\"hello\"");
        assertThat(waiting.size()).isZero();
    }

    @Test
    void whoIsNotReachedIsToldLater() {
        final Inbox inbox = waits(false);
        inbox.away = true;
        waiting.status(task, SUCCEEDED);
        assertThat(waiting.size()).isEqualTo(1);
        inbox.away = false;
        waiting.status(task, SUCCEEDED);
        assertThat(inbox.received).hasSize(1);
    }

    @Test
    void whoAskedForProgressIsToldEachEventOnceThenTheOutcomeThenNothing() {
        final Inbox inbox = waits(true);
        final Inbox other = waits(false);
        final TaskEvent running = Events.of(task, TaskEvent.Kind.RUNNING);
        waiting.event(running, 5);
        waiting.event(running, 5);
        waiting.status(task, SUCCEEDED);
        assertThat(inbox.headers)
                .extracting(headers -> headers.getOrDefault("Codeforge-Progress", ""))
                .containsExactly("running", "", "");
        assertThat(inbox.received.get(1)).contains("Succeeded");
        assertThat(inbox.received.get(2)).isEmpty();
        assertThat(other.received).hasSize(1);
    }

    @Test
    void theEndOfADeletedTaskIsAnError() {
        final Inbox inbox = waits(false);
        waiting.gone(task);
        assertThat(inbox.headers.getFirst()).containsEntry("Nats-Service-Error-Code", "410");
        assertThat(inbox.received.getFirst()).contains("\"uid\":\"" + task.uid(), "\"type\":\"TaskDeleted\"");
    }

    @Test
    void aKeyThatStandsForOtherWorkIsAConflictAndNoOutcome() {
        final Inbox inbox = waits(false);
        waiting.status(
                task,
                Resources.of(
                        AgentTaskStatus.class,
                        "{phase: Failed, error: {type: IdempotencyKeyReused, message: stands for other work}}"));
        assertThat(inbox.headers.getFirst())
                .containsEntry("Nats-Service-Error-Code", "409")
                .containsEntry("Nats-Service-Error", "stands for other work");
    }

    @Test
    void nobodyWaitsForLongerThanADay() {
        final Inbox inbox = waits(false);
        now = now.plus(Duration.ofHours(23));
        waiting.expire();
        assertThat(inbox.received).isEmpty();
        now = now.plus(Duration.ofHours(2));
        waiting.expire();
        assertThat(inbox.headers.getFirst()).containsEntry("Nats-Service-Error-Code", "504");
        assertThat(waiting.size()).isZero();
    }

    @Test
    void whenTheOperatorStopsAllAreToldToAskAgain() {
        final Inbox inbox = waits(false);
        waiting.dismiss();
        assertThat(inbox.headers.getFirst()).containsEntry("Nats-Service-Error-Code", "503");
        assertThat(inbox.received.getFirst()).contains("Ask again with the same Nats-Msg-Id");
    }

    @Test
    void twentyThousandWaitInAFewMegabytesAndAreAllAnswered() {
        final List<AgentTask> tasks = Stream.generate(this::another)
                .limit(RequestPlanner.MOST_WAITING)
                .toList();
        final Inbox inbox = new Inbox();
        tasks.forEach(each -> waiting.put(each, new Caller(Optional.of(inbox), false)));
        assertThat(waiting.size()).isEqualTo(RequestPlanner.MOST_WAITING);
        tasks.forEach(each -> waiting.status(each, SUCCEEDED));
        assertThat(inbox.received).hasSize(RequestPlanner.MOST_WAITING);
        assertThat(waiting.size()).isZero();
    }

    private AgentTask another() {
        final AgentTask other = new AgentTask();
        other.setMetadata(new ObjectMetaBuilder(task.getMetadata())
                .withUid(UUID.randomUUID().toString())
                .build());
        other.setSpec(task.getSpec());
        return other;
    }

    private Inbox waits(boolean progress) {
        final Inbox inbox = new Inbox();
        waiting.put(task, new Caller(Optional.of(inbox), progress));
        return inbox;
    }

    private Clock clock() {
        final InstantSource source = () -> now;
        return source.withZone(ZoneOffset.UTC);
    }

    /** What a caller has received. */
    private static final class Inbox implements RequestReply.Replies {
        private final List<String> received = new ArrayList<>();
        private final List<Map<String, String>> headers = new ArrayList<>();
        private boolean away;

        @Override
        public boolean send(byte[] body, Map<String, String> with) {
            if (away) {
                return false;
            }
            received.add(new String(body, StandardCharsets.UTF_8));
            headers.add(with);
            return true;
        }
    }
}
