package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import java.util.List;
import java.util.Optional;

/**
 * All that is known when a request is decided on.
 *
 * @param unfinished the pool's tasks
 * @param waiting requests that wait for an outcome
 * @param task empty while nobody looked; empty inside when none has the name
 */
record RequestSnapshot(
        Optional<WorkerPool> pool, List<AgentTask> unfinished, int waiting, Optional<Optional<AgentTask>> task) {

    RequestSnapshot withTask(Optional<AgentTask> answer) {
        return new RequestSnapshot(pool, unfinished, waiting, Optional.of(answer));
    }
}
