package dev.codeforge.operator.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.codeforge.identity.DelegatedAccounts;
import dev.codeforge.jetstream.NatsAccess;
import dev.codeforge.testing.ForeignOperator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OperatorSettingsTest {
    @TempDir
    private Path nats;

    private final Map<String, String> environment = new HashMap<>();
    private final ForeignOperator owner = new ForeignOperator();

    @BeforeEach
    void theLeastThatIsNeeded() throws IOException {
        environment.put("CODEFORGE_NAMESPACE", "codeforge-system");
        environment.put("CODEFORGE_NATS_DIR", nats.toString());
        Files.writeString(nats.resolve("url"), "nats://nats:4222\n");
    }

    @Test
    void theLeastIsTheNamespaceAndTheAddressOfNats() {
        final OperatorSettings settings = OperatorSettings.from(environment);
        assertThat(settings.namespace()).isEqualTo("codeforge-system");
        final NatsAccess.Password nobody = new NatsAccess.Password("nats://nats:4222", "", "");
        assertThat(settings.nats()).isEqualTo(new NatsSettings.Given(nobody, nobody, false));
        assertThat(settings.watchNamespaces()).isEmpty();
        assertThat(settings.workerImages()).isEmpty();
        assertThat(settings.workerDefaults()).isEqualTo(WorkerDefaults.NONE);
        assertThat(settings.subjectTemplate()).isEqualTo("tasks.agent.{backend}");
        assertThat(settings.leaderElection()).isTrue();
        assertThat(settings.httpPort()).isEqualTo(8081);
        assertThat(settings.sweepPeriod()).isEqualTo(Duration.ofSeconds(30));
        assertThat(settings.imagePullPolicy()).isEqualTo("IfNotPresent");
    }

    @Test
    void everythingCanBeSet() throws IOException {
        Files.writeString(nats.resolve("username"), "operator\n");
        Files.writeString(nats.resolve("password"), "p1");
        Files.writeString(nats.resolve("worker-username"), "worker");
        Files.writeString(nats.resolve("worker-password"), "p2\n");
        environment.putAll(Map.of(
                "CODEFORGE_POD_NAME", "operator-0",
                "CODEFORGE_WATCH_NAMESPACES", "team-a, team-b,",
                "CODEFORGE_WORKER_IMAGES", "{\"aider\": \"aider:1\"}",
                "CODEFORGE_IMAGE_PULL_POLICY", "Always",
                "CODEFORGE_SUBJECT_TEMPLATE", "tasks.{namespace}.{pool}",
                "CODEFORGE_LEADER_ELECTION", "false",
                "CODEFORGE_SHARED_NATS_USER", "true",
                "CODEFORGE_SWEEP_SECONDS", "5",
                "CODEFORGE_HTTP_PORT", "9000"));
        final OperatorSettings settings = OperatorSettings.from(environment);
        assertThat(settings.podName()).isEqualTo("operator-0");
        assertThat(settings.watchNamespaces()).containsExactlyInAnyOrder("team-a", "team-b");
        assertThat(settings.nats())
                .isEqualTo(new NatsSettings.Given(
                        new NatsAccess.Password("nats://nats:4222", "operator", "p1"),
                        new NatsAccess.Password("nats://nats:4222", "worker", "p2"),
                        true));
        assertThat(settings.workerImages()).containsExactly(Map.entry("aider", "aider:1"));
        assertThat(settings.imagePullPolicy()).isEqualTo("Always");
        assertThat(settings.subjectTemplate()).isEqualTo("tasks.{namespace}.{pool}");
        assertThat(settings.leaderElection()).isFalse();
        assertThat(settings.httpPort()).isEqualTo(9000);
        assertThat(settings.sweepPeriod()).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void aMissingNamespaceIsNamed() {
        environment.remove("CODEFORGE_NAMESPACE");
        assertError("CODEFORGE_NAMESPACE is not set");
    }

    @Test
    void aMissingAddressNamesTheKeyOfTheSecret() throws IOException {
        Files.delete(nats.resolve("url"));
        assertError("the connection Secret needs a key 'url'");
    }

    @Test
    void workersAreNeverGivenTheOperatorsUser() throws IOException {
        Files.writeString(nats.resolve("username"), "operator");
        Files.writeString(nats.resolve("password"), "p1");
        assertError("the connection Secret has no key 'worker-username'");
        Files.writeString(nats.resolve("worker-username"), "operator\n");
        Files.writeString(nats.resolve("worker-password"), "p1");
        assertError("key 'worker-username' names the operator's own user 'operator'");
    }

    @Test
    void aWorkersUserWithoutAPasswordNamesTheKeyOfTheSecret() throws IOException {
        Files.writeString(nats.resolve("username"), "operator");
        Files.writeString(nats.resolve("password"), "p1");
        Files.writeString(nats.resolve("worker-username"), "worker");
        assertError("the connection Secret has no key 'worker-password'");
    }

    @Test
    void theOperatorMakesUsersForAServerThatTrustsItsKeys() {
        environment.put("CODEFORGE_NATS_USERS", "Minted");
        assertThat(OperatorSettings.from(environment).nats())
                .isEqualTo(new NatsSettings.Minted("nats://nats:4222", Duration.ofDays(1)));
        environment.put("CODEFORGE_CREDENTIAL_SECONDS", "2");
        assertThat(OperatorSettings.from(environment).nats())
                .isEqualTo(new NatsSettings.Minted("nats://nats:4222", Duration.ofSeconds(2)));
    }

    @Test
    void whoMakesUsersIsOneOfFour() {
        environment.put("CODEFORGE_NATS_USERS", "Both");
        assertError("CODEFORGE_NATS_USERS is neither Minted");
    }

    @Test
    void aKeyOfTheServersOperatorIsReadFromTheSecret() throws IOException {
        environment.put("CODEFORGE_NATS_USERS", "OperatorSigningKey");
        assertError("the connection Secret needs a key 'system.creds'");
        Files.writeString(nats.resolve("system.creds"), owner.systemUser("codeforge"));
        assertError("the connection Secret needs a key 'operator-signing-key.nk'");
        Files.writeString(
                nats.resolve("operator-signing-key.nk"), owner.workers("W").seed());
        assertError("key 'operator-signing-key.nk' cannot be used: it is the seed of another kind of nkey than SO");
        Files.writeString(nats.resolve("operator-signing-key.nk"), owner.signingSeed());
        final NatsSettings.OperatorSigningKey settings = (NatsSettings.OperatorSigningKey)
                OperatorSettings.from(environment).nats();
        assertThat(settings.system())
                .isEqualTo(new NatsAccess.CredentialsFile("nats://nats:4222", nats.resolve("system.creds")));
        assertThat(settings.credentialLifetime()).isEqualTo(Duration.ofDays(1));
    }

    @Test
    void keysOfAccountsAreReadFromTheSecret() throws IOException {
        environment.put("CODEFORGE_NATS_USERS", "AccountSigningKey");
        Files.writeString(nats.resolve("operator.creds"), owner.streamsUser("codeforge"));
        hand("workers", owner.workersWithScopedKey("WORKERS"));
        hand("account-team-a", owner.workers("TEAM-A"));
        final NatsSettings.AccountSigningKey settings = (NatsSettings.AccountSigningKey)
                OperatorSettings.from(environment).nats();
        assertThat(settings.operator())
                .isEqualTo(new NatsAccess.CredentialsFile("nats://nats:4222", nats.resolve("operator.creds")));
        assertThat(settings.credentialLifetime()).isEqualTo(Duration.ofDays(1));
        assertThat(settings.accounts().bound("team-a")).isEqualTo(DelegatedAccounts.Bound.NAMESPACE);
        assertThat(settings.accounts().bound("team-b")).isEqualTo(DelegatedAccounts.Bound.ACCOUNT);
    }

    @Test
    void ofKeysOfAccountsEachThatIsMissingIsNamed() throws IOException {
        environment.put("CODEFORGE_NATS_USERS", "AccountSigningKey");
        assertError("the connection Secret needs a key 'operator.creds'");
        Files.writeString(nats.resolve("operator.creds"), owner.streamsUser("codeforge"));
        assertError("the connection Secret needs a key 'workers.nk'");
        final ForeignOperator.Handed team = owner.workers("TEAM-A");
        Files.writeString(nats.resolve("account-team-a.jwt"), team.jwt());
        assertError("the connection Secret needs a key 'account-team-a.nk'");
        Files.writeString(nats.resolve("account-team-a.nk"), team.seed());
        Files.writeString(nats.resolve("workers.nk"), owner.workers("WORKERS").seed());
        assertError("the connection Secret needs a key 'workers.jwt'");
    }

    @Test
    void whatIsNoKeyOfTheAccountIsSaid() throws IOException {
        environment.put("CODEFORGE_NATS_USERS", "AccountSigningKey");
        Files.writeString(nats.resolve("operator.creds"), owner.streamsUser("codeforge"));
        final ForeignOperator.Handed workers = owner.workers("WORKERS");
        hand("workers", new ForeignOperator.Handed(workers.jwt(), "SAX"));
        assertError("key 'workers.nk' cannot be used: it is no seed of an nkey, which begins with SA");
        hand("workers", new ForeignOperator.Handed(workers.jwt(), owner.userSeed()));
        assertError("key 'workers.nk' cannot be used: it is the seed of another kind of nkey than SA");
        hand("workers", new ForeignOperator.Handed("nothing", workers.seed()));
        assertError("key 'workers.jwt' cannot be used: there is no JWT of NATS in it");
        hand("workers", new ForeignOperator.Handed(owner.streamsUser("x"), workers.seed()));
        assertError("key 'workers.jwt' cannot be used: it is the JWT of no account, but of user");
        hand("workers", new ForeignOperator.Handed(owner.workers("OTHERS").jwt(), workers.seed()));
        assertError("key 'workers.jwt' cannot be used: it is of account OTHERS");
    }

    private void hand(String name, ForeignOperator.Handed account) throws IOException {
        Files.writeString(nats.resolve(name + ".jwt"), account.jwt());
        Files.writeString(nats.resolve(name + ".nk"), account.seed());
    }

    @ParameterizedTest
    @ValueSource(strings = {"day", "", "1", "604801"})
    void aCredentialsLifeTooShortOrTooLongIsRefused(String value) {
        environment.put("CODEFORGE_NATS_USERS", "Minted");
        environment.put("CODEFORGE_CREDENTIAL_SECONDS", value);
        assertError("CODEFORGE_CREDENTIAL_SECONDS is not a number of seconds from 2 to 604800: '" + value + "'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"aider=aider:1", "[]", "{\"aider\": {}}", "null", "{\"aider\": null}"})
    void imagesThatAreNoMapAreRefused(String value) {
        environment.put("CODEFORGE_WORKER_IMAGES", value);
        assertError("CODEFORGE_WORKER_IMAGES is not a JSON object of backend to image");
    }

    @Test
    void whatWorkersGetIsOneDocument() {
        environment.put(
                "CODEFORGE_WORKER_DEFAULTS",
                "{\"imagePullSecrets\": [\"registry\"], \"workspaceSizeLimit\": \"10Gi\"}");
        final WorkerDefaults defaults = OperatorSettings.from(environment).workerDefaults();
        assertThat(defaults.imagePullSecrets()).containsExactly("registry");
        assertThat(defaults.workspaceSizeLimit()).isEqualTo("10Gi");
        assertThat(defaults.tmpSizeLimit()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "[]",
                "resources",
                "{\"resource\": {}}",
                "{\"affinity\": {\"nodeAffinty\": {}}}",
                "{\"securityContext\": {\"fsGroup\": 1}}",
                "{\"tmpSizeLimit\": \"big\"}",
                "{\"tmpSizeLimit\": \"0\"}"
            })
    void workerDefaultsThatAreNoneAreRefused(String value) {
        environment.put("CODEFORGE_WORKER_DEFAULTS", value);
        assertError("set workerDefaults of the chart");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http", "", "-1", "65536"})
    void aPortThatIsNoneIsRefused(String value) {
        environment.put("CODEFORGE_HTTP_PORT", value);
        assertError("CODEFORGE_HTTP_PORT is not a port number from 0 to 65535: '" + value + "'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"often", "", "4", "3601"})
    void aSweepTooOftenOrTooRareIsRefused(String value) {
        environment.put("CODEFORGE_SWEEP_SECONDS", value);
        assertError("CODEFORGE_SWEEP_SECONDS is not a number of seconds from 5 to 3600: '" + value + "'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"holder", "tasks", "results.{pool}", ""})
    void aTemplateOutsideOfTasksIsRefused(String value) {
        environment.put("CODEFORGE_SUBJECT_TEMPLATE", value);
        assertError("CODEFORGE_SUBJECT_TEMPLATE does not begin with 'tasks.': '" + value + "'");
    }

    private void assertError(String words) {
        assertThatThrownBy(() -> OperatorSettings.from(environment))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(words);
    }
}
