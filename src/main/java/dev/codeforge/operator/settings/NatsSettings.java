package dev.codeforge.operator.settings;

import dev.codeforge.identity.DelegatedAccounts;
import dev.codeforge.identity.Key;
import dev.codeforge.jetstream.NatsAccess;
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
     * The operator, in a server of somebody else that trusts a key of theirs which we have.
     *
     * @param system a user of the system account, who may change accounts
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
     * The operator, in accounts of somebody else, with signing keys of them.
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
     * Somebody else.
     *
     * @param workers one user for the workers of all pools
     * @param mayBeShared whether pools of several namespaces may use that one
     */
    record Given(NatsAccess.Password operator, NatsAccess.Password workers, boolean mayBeShared)
            implements NatsSettings {
        @Override
        public String url() {
            return workers.url();
        }
    }
}
