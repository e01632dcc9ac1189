package dev.codeforge.jetstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.nats.client.Connection;
import io.nats.client.ErrorListener;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** {@link Accounts} asked as a user of the system account, on a connection for each question: they are rare. */
public final class NatsAccounts implements Accounts {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int OK = 200;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final NatsAccess system;

    /** @param system a user of the system account */
    public NatsAccounts(NatsAccess system) {
        this.system = system;
    }

    @Override
    public Optional<String> find(String accountId) {
        final String jwt = ask("$SYS.REQ.ACCOUNT." + accountId + ".CLAIMS.LOOKUP", "");
        return jwt.isEmpty() ? Optional.empty() : Optional.of(jwt);
    }

    @Override
    public List<String> list() {
        final String subject = "$SYS.REQ.CLAIMS.LIST";
        final String answer = ask(subject, "");
        try {
            return JSON.readTree(answer)
                    .path("data")
                    .valueStream()
                    .map(JsonNode::asText)
                    .toList();
        } catch (IOException e) {
            throw new QueueUnavailableException(
                    "NATS at " + system.url() + " answered " + answer + " on " + subject, e);
        }
    }

    @Override
    public void push(String jwt) {
        change("$SYS.REQ.CLAIMS.UPDATE", jwt);
    }

    @Override
    public void delete(String request) {
        change("$SYS.REQ.CLAIMS.DELETE", request);
    }

    private void change(String subject, String jwt) {
        final String answer = ask(subject, jwt);
        try {
            final JsonNode said = JSON.readTree(answer);
            if (said.path("data").path("code").asInt() == OK) {
                return;
            }
        } catch (IOException e) {
            throw new QueueUnavailableException(
                    "NATS at " + system.url() + " answered " + answer + " on " + subject, e);
        }
        throw new QueueUnavailableException("NATS at " + system.url() + " refused on " + subject + ": " + answer);
    }

    private String ask(String subject, String body) {
        final Options.Builder options = Options.builder()
                .server(system.url())
                .connectionName("codeforge-operator accounts")
                .connectionTimeout(TIMEOUT)
                .noReconnect()
                // What goes wrong is in the exception.
                .errorListener(new ErrorListener() {});
        system.signIn(options);
        try (Connection connection = Nats.connect(options.build())) {
            final Message answer = connection.request(subject, body.getBytes(StandardCharsets.UTF_8), TIMEOUT);
            if (answer == null || answer.isStatusMessage()) {
                throw new QueueUnavailableException("nobody answered at " + system.url() + " on " + subject
                        + ": does its configuration have a resolver of type full?");
            }
            return new String(answer.getData(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new QueueUnavailableException(
                    "NATS at " + system.url() + " takes no change of accounts: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new QueueUnavailableException("interrupted while asking " + subject, e);
        }
    }
}
