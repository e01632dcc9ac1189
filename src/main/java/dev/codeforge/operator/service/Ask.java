package dev.codeforge.operator.service;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.codeforge.api.AgentTaskSpec;
import java.util.Optional;

/**
 * A parsed request.
 *
 * @param key the request's Nats-Msg-Id: a second request with the same id is the same request
 * @param fields the task's spec as it was sent, with pool and key added; the API server validates its values
 * @param traceparent the header that links the task's trace to the caller's
 * @param spec the same spec, parsed
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
