package dev.codeforge.identity;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.List;

/** The rights of users. */
final class UserClaims {
    private static final long ANSWER_NANOSECONDS = Duration.ofMinutes(1).toNanos();
    private static final int NO_LIMIT = -1;

    private UserClaims() {}

    /** All rights of the user's account. */
    static Claims unbounded(String name) {
        final ObjectNode body =
                Claims.body("user").put("subs", NO_LIMIT).put("data", NO_LIMIT).put("payload", NO_LIMIT);
        return new Claims(name, body);
    }

    static Claims bounded(String name, List<String> publish, List<String> subscribe) {
        final Claims claims = unbounded(name);
        publish.forEach(claims.body().putObject("pub").putArray("allow")::add);
        subscribe.forEach(claims.body().putObject("sub").putArray("allow")::add);
        return claims;
    }

    static Claims worker(Reach reach, String namespace, String pool) {
        final Claims claims =
                bounded(workerName(namespace, pool), reach.publish(namespace, pool), reach.subscribe(namespace, pool));
        // Allows answers to the operator's requests.
        claims.body().putObject("resp").put("max", 1).put("ttl", ANSWER_NANOSECONDS);
        return claims;
    }

    /** A worker with the rights of its scoped signing key, which may use the tags. */
    static Claims scopedWorker(String namespace, String pool) {
        final Claims claims = new Claims(workerName(namespace, pool), Claims.body("user"));
        claims.body().putArray("tags").add("ns:" + namespace).add("pool:" + pool);
        return claims;
    }

    private static String workerName(String namespace, String pool) {
        return "pool " + namespace + "/" + pool;
    }
}
