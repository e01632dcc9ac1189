package dev.codeforge.scenarios;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A status without what differs between two runs of the same work: times, and where its message was kept. */
final class EndState {
    /** What the tasks do whose ends are compared. */
    static final String WORK = "echo done";

    private static final Set<String> DIFFERENT =
            Set.of("lastTransitionTime", "queuedTime", "startTime", "completionTime", "nextAttemptTime", "queue");
    private static String undisturbed;

    private EndState() {}

    /** As text, one field a line. {@code ignoring} are fields that the scenario itself must change. */
    static String of(AgentTaskStatus status, String... ignoring) {
        return reduced(Serialization.asJson(status), ignoring);
    }

    private static String reduced(String json, String... ignoring) {
        try {
            final ObjectMapper mapper = new ObjectMapper();
            final JsonNode tree = mapper.readTree(json);
            final Set<String> ignored = new HashSet<>(DIFFERENT);
            ignored.addAll(List.of(ignoring));
            strip(tree, ignored);
            return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(tree);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalStateException("what was written as JSON cannot be read", e);
        }
    }

    private static void strip(JsonNode node, Set<String> fields) {
        if (node instanceof ObjectNode object) {
            object.remove(fields);
        }
        node.forEach(child -> strip(child, fields));
    }

    /** What {@link #WORK} ends with when nothing goes wrong; run once. */
    static synchronized String undisturbed(String... ignoring) throws Exception {
        if (undisturbed == null) {
            try (Scene scene = Scene.started("pool")) {
                scene.worker("worker", "pool");
                scene.task("task", "pool", WORK, "");
                undisturbed = of(scene.awaitPhase("task", Phase.Succeeded));
                scene.assertDoneOnce("task", 3);
            }
        }
        return reduced(undisturbed, ignoring);
    }
}
