package dev.codeforge.jetstream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Reads and changes the accounts of a NATS server in operator mode, as a user of the system account. Each request opens
 * a connection, because requests are rare. {@link QueueUnavailableException} means that the server did not answer.
 */
public final class Accounts {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int OK = 200;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final NatsAccess system;

    /** @param system a user of the system account */
    public Accounts(NatsAccess system) {
        this.system = system;
    }

    /** The account's JWT; empty when the server does not know it. */
    public Optional<String> find(String accountId) {
        final String jwt = ask("$SYS.REQ.ACCOUNT." + accountId + ".CLAIMS.LOOKUP", "");
        return jwt.isEmpty() ? Optional.empty() : Optional.of(jwt);
    }

    /** The ids of all accounts. */
    public List<String> list() {
        return said("$SYS.REQ.CLAIMS.LIST", "")
                .path("data")
                .valueStream()
                .map(JsonNode::asText)
                .toList();
    }

    /** @param jwt of an account */
    public void push(String jwt) {
        change("$SYS.REQ.CLAIMS.UPDATE", jwt);
    }

    /**
     * @param request a JWT that names the account. The server closes the account's connections and never accepts the
     *     account again
     */
    public void delete(String request) {
        change("$SYS.REQ.CLAIMS.DELETE", request);
    }

    private void change(String subject, String jwt) {
        final JsonNode said = said(subject, jwt);
        if (said.path("data").path("code").asInt() != OK) {
            throw new QueueUnavailableException("NATS at " + system.url() + " refused on " + subject + ": " + said);
        }
    }

    private JsonNode said(String subject, String body) {
        final String answer = ask(subject, body);
        try {
            return JSON.readTree(answer);
        } catch (JsonProcessingException e) {
            throw new QueueUnavailableException(
                    "NATS at " + system.url() + " answered " + answer + " on " + subject, e);
        }
    }

    private String ask(String subject, String body) {
        final Options.Builder options = Options.builder()
                .server(system.url())
                .connectionName("codeforge-operator accounts")
                .connectionTimeout(TIMEOUT)
                .noReconnect()
                // Errors are reported as exceptions.
                .errorListener(new ErrorListener() {});
        system.signIn(options);
        return JetStreamErrors.translate("NATS at " + system.url() + " on " + subject, () -> {
            try (Connection connection = Nats.connect(options.build())) {
                final Message answer = connection.request(subject, body.getBytes(StandardCharsets.UTF_8), TIMEOUT);
                if (answer == null || answer.isStatusMessage()) {
                    throw new QueueUnavailableException("no answer at " + system.url() + " on " + subject
                            + ": does its configuration have a resolver of type full?");
                }
                return new String(answer.getData(), StandardCharsets.UTF_8);
            }
        });
    }
}
