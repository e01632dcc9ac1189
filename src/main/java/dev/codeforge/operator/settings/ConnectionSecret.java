package dev.codeforge.operator.settings;

import dev.codeforge.identity.DelegatedAccount;
import dev.codeforge.identity.DelegatedAccounts;
import dev.codeforge.identity.Key;
import dev.codeforge.identity.Login;
import dev.codeforge.jetstream.NatsAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The Secret with the address of NATS and the operator's identity there. Each error names the key to set.
 *
 * @param folder where it is mounted
 */
record ConnectionSecret(Path folder) {
    private static final String OPERATOR = "operator.creds";
    private static final String SYSTEM = "system.creds";
    private static final String SIGNING_KEY = "operator-signing-key.nk";
    private static final String WORKERS = "workers";
    /** Prefix of keys for a namespace with an account of its own. */
    private static final String OF_NAMESPACE = "account-";

    private static final String JWT = ".jwt";
    private static final String SEED = ".nk";

    String url() {
        return required("url");
    }

    /** @param mayBeShared whether pools of several namespaces may use the workers' user */
    NatsSettings.Given given(boolean mayBeShared) {
        final NatsAccess.Password operator = new NatsAccess.Password(url(), optional("username"), optional("password"));
        final NatsAccess.Password workers =
                new NatsAccess.Password(url(), optional("worker-username"), optional("worker-password"));
        if (!operator.username().isEmpty()) {
            requireUserOfWorkers(operator, workers);
        }
        return new NatsSettings.Given(operator, workers, mayBeShared);
    }

    private static void requireUserOfWorkers(NatsAccess.Password operator, NatsAccess.Password workers) {
        if (workers.username().isEmpty()) {
            throw new IllegalArgumentException("the connection Secret has no key 'worker-username': workers get no "
                    + "user that may do all that the operator may; make them one of their own in NATS, and set "
                    + "worker-username and worker-password");
        }
        if (workers.username().equals(operator.username())) {
            throw new IllegalArgumentException("the connection Secret's key 'worker-username' names the operator's own "
                    + "user '" + operator.username() + "': make workers one of their own in NATS");
        }
        if (workers.password().isEmpty()) {
            throw new IllegalArgumentException("the connection Secret has no key 'worker-password': set it to the "
                    + "password of NATS's user '" + workers.username() + "'");
        }
    }

    NatsSettings.AccountSigningKey accountSigningKey(Duration credentialLifetime) {
        final String streams = read(OPERATOR, Login::accountOf);
        final Map<String, DelegatedAccount> own = namespaces()
                .collect(Collectors.toUnmodifiableMap(
                        namespace -> namespace, namespace -> account(OF_NAMESPACE + namespace)));
        final Optional<DelegatedAccount> workers = own.isEmpty() || isSet(WORKERS + JWT) || isSet(WORKERS + SEED)
                ? Optional.of(account(WORKERS))
                : Optional.empty();
        return new NatsSettings.AccountSigningKey(
                new NatsAccess.CredentialsFile(url(), folder.resolve(OPERATOR)),
                new DelegatedAccounts(streams, own, workers),
                credentialLifetime);
    }

    NatsSettings.OperatorSigningKey operatorSigningKey(Duration credentialLifetime) {
        // Read here only to report an error early.
        read(SYSTEM, Login::accountOf);
        return new NatsSettings.OperatorSigningKey(
                new NatsAccess.CredentialsFile(url(), folder.resolve(SYSTEM)),
                read(SIGNING_KEY, Key::ofOperator),
                credentialLifetime);
    }

    private DelegatedAccount account(String name) {
        final Key signing = read(name + SEED, Key::ofAccount);
        return read(name + JWT, jwt -> DelegatedAccount.of(jwt, signing));
    }

    /** Namespaces with an account of their own, also with an incomplete one. */
    private Stream<String> namespaces() {
        try (Stream<Path> files = Files.list(folder)) {
            return files
                    .map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith(OF_NAMESPACE) && (name.endsWith(JWT) || name.endsWith(SEED)))
                    .map(name -> name.substring(OF_NAMESPACE.length(), name.lastIndexOf('.')))
                    .distinct()
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new IllegalArgumentException(folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    private <T> T read(String key, Function<String, T> reading) {
        final String text = required(key);
        try {
            return reading.apply(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "the connection Secret's key '" + key + "' cannot be used: " + e.getMessage(), e);
        }
    }

    private boolean isSet(String key) {
        return Files.exists(folder.resolve(key));
    }

    private String optional(String key) {
        return isSet(key) ? required(key) : "";
    }

    private String required(String key) {
        final Path path = folder.resolve(key);
        try {
            return Files.readString(path).strip();
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    path + " cannot be read: the connection Secret needs a key '" + key + "' (" + e.getMessage() + ")",
                    e);
        }
    }
}
