package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;
import dev.codeforge.api.WorkerPool;
import java.util.List;
import java.util.Optional;

/**
 * Everything that a decision on a request is based on.
 *
 * @param unfinished the pool's tasks
 * @param waiting number of requests that wait for an outcome
 * @param task empty until it was searched for; empty inside if no task has the name
 */
record RequestSnapshot(
        Optional<WorkerPool> pool, List<AgentTask> unfinished, int waiting, Optional<Optional<AgentTask>> task) {

    RequestSnapshot withTask(Optional<AgentTask> answer) {
        return new RequestSnapshot(pool, unfinished, waiting, Optional.of(answer));
    }
}
