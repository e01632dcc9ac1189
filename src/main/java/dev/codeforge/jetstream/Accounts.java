package dev.codeforge.jetstream;

import java.util.List;
import java.util.Optional;

/** What a NATS server in operator mode knows of accounts. {@link QueueUnavailableException} says that it did not answer. */
public interface Accounts {
    /** The account's JWT; empty when the server does not know it. */
    Optional<String> find(String accountId);

    /** The ids of all accounts. */
    List<String> list();

    /** @param jwt of an account */
    void push(String jwt);

    /** @param request a JWT that names the account; the server closes its connections and never takes it again */
    void delete(String request);
}
