package dev.codeforge.operator.service;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.codeforge.api.AgentTaskSpec;
import java.util.Optional;

/**
 * A request that can be read: what is asked for, and where.
 *
 * @param key the request's Nats-Msg-Id: the same one again is the same request
 * @param fields the task's spec as it was sent, pool and key added; the API server judges its values
 * @param traceparent the header by which the caller's trace is found from the task's
 * @param spec the same, as far as it is known here
 */
record Ask(
        Endpoint endpoint,
        String namespace,
        String pool,
        Optional<String> key,
        Optional<String> traceparent,
        ObjectNode fields,
        AgentTaskSpec spec) {

    enum Endpoint {
        /** Answers with the outcome. */
        run,
        /** Answers with the task's name. */
        submit
    }
}
