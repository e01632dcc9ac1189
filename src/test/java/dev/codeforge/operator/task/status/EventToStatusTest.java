package dev.codeforge.operator.task.status;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.wire.TaskEvent;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class EventToStatusTest {
    @Test
    void aFailedRunsBranchIsInTheResult() throws Exception {
        final TaskEvent event =
                TaskEvent.parse(Files.readAllBytes(Path.of("schemas", "golden", "event-failed-pushed.json")));
        final AgentTaskStatus.Result result = EventToStatus.result(event);
        assertThat(result.git())
                .isEqualTo(new AgentTaskStatus.GitResult(
                        "3f786850e387550fdab836ed7e6dc881de23001b",
                        "codeforge/greet-strangers-failed-2",
                        "5a0f1c7d2b6e4938a1c0d9e8f7b6a5948372615f",
                        true));
        assertThat(result.files()).containsExactly("greeter.py");
    }
}
