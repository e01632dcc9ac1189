package dev.codeforge.operator.settings;

import dev.codeforge.identity.DelegatedAccounts;
import dev.codeforge.identity.Key;
import dev.codeforge.jetstream.NatsAccess;
import java.time.Duration;

/** Who creates the users of the NATS server. */
public sealed interface NatsSettings {
    /** The address that workers use. */
    String url();

    /**
     * The operator, on a server that trusts the operator's keys.
     *
     * @param credentialLifetime how long a worker's credential is valid
     */
    record Minted(String url, Duration credentialLifetime) implements NatsSettings {}

    /**
     * The operator, on an external server, with a signing key of that server's operator.
     *
     * @param system a user of the system account, which may change accounts
     * @param signing signs accounts
     * @param credentialLifetime how long a worker's credential is valid
     */
    record OperatorSigningKey(NatsAccess.CredentialsFile system, Key signing, Duration credentialLifetime)
            implements NatsSettings {
        @Override
        public String url() {
            return system.url();
        }
    }

    /**
     * The operator, in accounts of an external server, with their signing keys.
     *
     * @param operator its own user, in the account with the streams
     * @param credentialLifetime how long a worker's credential is valid
     */
    record AccountSigningKey(
            NatsAccess.CredentialsFile operator, DelegatedAccounts accounts, Duration credentialLifetime)
            implements NatsSettings {
        @Override
        public String url() {
            return operator.url();
        }
    }

    /**
     * The owner of an external server.
     *
     * @param workers one user for the workers of all pools
     * @param mayBeShared whether pools of several namespaces may use that user
     */
    record Given(NatsAccess.Password operator, NatsAccess.Password workers, boolean mayBeShared)
            implements NatsSettings {
        @Override
        public String url() {
            return workers.url();
        }
    }
}
