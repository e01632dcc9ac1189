package dev.codeforge.jetstream;

import io.nats.client.Options;

/** Where a NATS server is and who we are there. */
public sealed interface NatsAccess permits NatsEndpoint, MintedAccess, CredentialsFile {
    String url();

    /** Has the client say who we are. */
    void signIn(Options.Builder options);
}
