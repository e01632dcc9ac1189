package dev.codeforge.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.Phase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** An agent without walls has its pool's credential for NATS, and with it nothing that is another pool's. */
final class StolenCredentialE2E {
    private static final String NEIGHBOUR = "echo runs; sleep 300";
    /** What is the prompt of a task is a list of words, in which a star is one. */
    private static final String THIEF =
            """
            set -f
            read -r attempts
            exec /opt/worker/bin/python3 -I -c "$STOLEN" $attempts
            """;

    @AutoClose
    private final Platform platform = new Platform();

    @Test
    void itOpensNothingOfAnotherPool() throws Exception {
        platform.pool("neighbour", 1, NEIGHBOUR);
        platform.task("neighbours", "neighbour", "runTimeoutSeconds: 300");
        thief();
        platform.awaitPhase("neighbours", Phase.Running);
        final String neighbours = platform.uid("neighbours");
        platform.ask("theft", "thief", words(neighbours));
        final Outcomes outcomes = Outcomes.of(platform.awaitFinished("theft")).print("with the credential of the pool");
        assertThat(outcomes.done()).containsExactlyInAnyOrder("its own pool's settings", "its own inbox");
        assertThat(outcomes.attempts()).hasSizeGreaterThan(20);
        assertThat(platform.status("neighbours").phase()).isEqualTo(Phase.Running);
    }

    private void thief() throws Exception {
        platform.create(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: WorkerPool
                metadata: {name: thief}
                spec:
                  backend: command
                  queue:
                    subject: tasks.%s.thief
                  isolation: {agent: Off}
                  deletionPolicy: Delete
                  scaling: {minReplicas: 0, maxReplicas: 1}
                  template:
                    spec:
                      containers:
                        - name: worker
                          args: [run, --, sh, -c, %s]
                          env: [{name: STOLEN, value: %s}]
                """
                        .formatted(
                                platform.namespace,
                                Platform.literal(THIEF),
                                Platform.literal(Files.readString(Path.of("worker/tests/harness/stolen.py")))));
    }

    private String words(String task) {
        final String queue = "tasks_" + platform.namespace + "_neighbour";
        final String files = "files_" + platform.namespace + "_neighbour";
        final String pool = platform.namespace + ".neighbour";
        final String mine = platform.namespace + ".thief";
        final String inbox = "_INBOX." + mine;
        final List<String> attempts = List.of(
                "its own pool's settings:ask:$JS.API.DIRECT.GET.KV_config.$KV.config." + mine,
                "its own inbox:hear:" + inbox + ".x",
                "another pool's next task:ask:$JS.API.CONSUMER.MSG.NEXT." + queue + ".workers",
                "an acknowledgement of its task:ask:$JS.ACK." + queue + ".workers.1.1.1.1.0",
                "a task in its queue:ask:tasks." + pool + "." + task,
                "all tasks as they come:hear:tasks.>",
                "its result:ask:results." + task,
                "its result as it comes:hear:results." + task,
                "its last event:ask:$JS.API.DIRECT.GET.EVENTS.events." + pool + "." + task,
                "an event of its run:ask:events." + pool + "." + task,
                "a line of its log:ask:logs." + pool + "." + task,
                "all lines as they come:hear:logs.>",
                "the end of its run:ask:control." + pool + "." + task,
                "orders to its run:hear:control." + pool + ".>",
                "its holder's place:hear:holder." + pool + ".*",
                "a dead letter of it:ask:deadletters." + pool,
                "its files:ask:$JS.API.DIRECT.GET.OBJ_" + files + ".$O." + files + ".M.x",
                "a file of it:ask:$O." + files + ".M.x",
                "its settings:ask:$JS.API.DIRECT.GET.KV_config.$KV.config." + pool,
                "other settings for it:ask:$KV.config." + pool,
                "a run by request:ask:agents.run." + pool,
                "the operator's answers:hear:answers.>",
                "another's inbox:hear:_INBOX.>",
                "the stream of events:ask:$JS.API.STREAM.DELETE.EVENTS",
                "all streams:ask:$JS.API.STREAM.NAMES",
                "the accounts of the server:ask:$SYS.REQ.CLAIMS.LIST");
        return "nats://codeforge-nats.%s.svc:4222 /run/codeforge/nats/nats.creds %s ".formatted(Platform.SYSTEM, inbox)
                + attempts.stream().map(attempt -> attempt.replace(' ', '_')).collect(Collectors.joining(" "));
    }
}
