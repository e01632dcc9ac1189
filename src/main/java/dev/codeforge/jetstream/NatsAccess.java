package dev.codeforge.jetstream;

/** Where a NATS server is and who we are there. */
public sealed interface NatsAccess permits NatsEndpoint, MintedAccess {
    String url();
}
