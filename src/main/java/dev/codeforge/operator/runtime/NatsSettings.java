package dev.codeforge.operator.runtime;

import dev.codeforge.jetstream.NatsEndpoint;
import java.time.Duration;

/** Who makes the users of the NATS server. */
public sealed interface NatsSettings {
    /** Where workers find the server. */
    String url();

    /**
     * The operator, in a server that trusts its keys.
     *
     * @param credentialLifetime how long a worker's credential is valid
     */
    record Minted(String url, Duration credentialLifetime) implements NatsSettings {}

    /**
     * Somebody else.
     *
     * @param workers one user for the workers of all pools
     * @param mayBeShared whether pools of several namespaces may use that one
     */
    record Given(NatsEndpoint operator, NatsEndpoint workers, boolean mayBeShared) implements NatsSettings {
        @Override
        public String url() {
            return workers.url();
        }
    }
}
