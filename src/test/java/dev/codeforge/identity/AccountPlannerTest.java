package dev.codeforge.identity;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.nats.client.support.JwtUtils;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class AccountPlannerTest {
    private static final Instant NOW = Instant.parse("2026-11-24T09:00:00Z");
    private static final NamespaceIdentity TEAM = new NamespaceIdentity("team-a", "ns-uid");
    private static final PoolIdentity SHELL = new PoolIdentity("shell", "uid-1");
    private static final PoolIdentity AIDER = new PoolIdentity("aider", "uid-2");

    private final Keys keys = new Keys(new byte[32]);
    private final Mint mint = new Mint(keys);

    @Test
    void anUnknownNamespaceGetsAnAccountWithWhatItsPoolsMayReachAndNoJetStream() {
        final JsonNode account = claims(pushed(plan(NOW, List.of(SHELL, AIDER), Optional.empty())));
        assertThat(account.path("sub").asText())
                .isEqualTo(keys.namespace("ns-uid").id());
        assertThat(account.path("iss").asText()).isEqualTo(keys.operator().id());
        final JsonNode body = account.path("nats");
        assertThat(imported(body, "subject"))
                .contains(
                        "events.team-a.*.*",
                        "$JS.API.CONSUMER.MSG.NEXT.tasks_team-a_shell.workers",
                        "$JS.API.CONSUMER.MSG.NEXT.tasks_team-a_aider.workers")
                .allMatch(subject -> subject.contains("team-a"));
        assertThat(imported(body, "account")).containsOnly(keys.streams().id());
        assertThat(body.path("limits").has("disk_storage")).isFalse();
        assertThat(body.has("exports")).isFalse();
    }

    @Test
    void anAccountThatIsAsWantedIsKept() {
        final String known = pushed(plan(NOW, List.of(SHELL, AIDER), Optional.empty()));
        assertThat(plan(NOW.plusSeconds(60), List.of(AIDER, SHELL), Optional.of(known)))
                .isInstanceOf(AccountPlan.Keep.class);
    }

    @Test
    void anAccountThatAnotherKeyHasSignedIsSignedAnewAndKeepsItsRevocations() {
        final String first = pushed(plan(NOW, List.of(SHELL, AIDER), Optional.empty()));
        final String known = pushed(plan(NOW, List.of(AIDER), Optional.of(first)));
        final Key changed = new Keys(Keys.generate()).operator();
        final JsonNode account =
                claims(pushed(new AccountPlanner(new Mint(keys, changed), Clock.fixed(NOW, ZoneOffset.UTC))
                        .plan(TEAM, List.of(AIDER), Optional.of(known))));
        assertThat(account.path("iss").asText()).isEqualTo(changed.id());
        assertThat(account.path("sub").asText())
                .isEqualTo(keys.namespace("ns-uid").id());
        assertThat(account.at("/nats/revocations").has(keys.pool("uid-1").id())).isTrue();
    }

    @Test
    void aFurtherPoolChangesTheAccountAndRevokesNobody() {
        final String known = pushed(plan(NOW, List.of(SHELL), Optional.empty()));
        final JsonNode body = claims(pushed(plan(NOW, List.of(SHELL, AIDER), Optional.of(known))))
                .path("nats");
        assertThat(imported(body, "subject")).contains("$O.files_team-a_aider.M.*", "$O.files_team-a_shell.M.*");
        assertThat(body.has("revocations")).isFalse();
    }

    @Test
    void aPoolThatIsGoneLosesItsImportsAndItsUserIsRevoked() {
        final String known = pushed(plan(NOW, List.of(SHELL, AIDER), Optional.empty()));
        final JsonNode body = claims(pushed(plan(NOW.plusSeconds(5), List.of(AIDER), Optional.of(known))))
                .path("nats");
        assertThat(imported(body, "subject")).noneMatch(subject -> subject.contains("shell"));
        assertThat(body.path("revocations").path(keys.pool("uid-1").id()).asLong())
                .isEqualTo(NOW.plusSeconds(5).getEpochSecond());
        assertThat(body.path("revocations").size()).isEqualTo(1);
    }

    @Test
    void aRevocationIsCarriedOverAndForgottenWhenNoCredentialCanBeValidAnyMore() {
        final String first = pushed(plan(NOW, List.of(SHELL, AIDER), Optional.empty()));
        final String known = pushed(plan(NOW, List.of(AIDER), Optional.of(first)));
        final PoolIdentity third = new PoolIdentity("third", "uid-3");
        final Instant later = NOW.plus(Duration.ofDays(6));
        assertThat(claims(pushed(plan(later, List.of(AIDER, third), Optional.of(known))))
                        .path("nats")
                        .path("revocations")
                        .has(keys.pool("uid-1").id()))
                .isTrue();
        assertThat(plan(later, List.of(AIDER), Optional.of(known))).isInstanceOf(AccountPlan.Keep.class);
        final Instant forgotten = NOW.plus(AccountPlanner.LONGEST_LIFETIME);
        assertThat(claims(pushed(plan(forgotten, List.of(AIDER), Optional.of(known))))
                        .path("nats")
                        .has("revocations"))
                .isFalse();
    }

    /** Another pool's reconcile may still have it in its cache. */
    @Test
    void aRevokedPoolDoesNotComeBackButOneOfItsNameDoes() {
        final String first = pushed(plan(NOW, List.of(SHELL, AIDER), Optional.empty()));
        final String known = pushed(plan(NOW, List.of(AIDER), Optional.of(first)));
        assertThat(plan(NOW, List.of(SHELL, AIDER), Optional.of(known))).isInstanceOf(AccountPlan.Keep.class);
        final PoolIdentity again = new PoolIdentity("shell", "uid-9");
        final JsonNode body = claims(pushed(plan(NOW, List.of(again, AIDER), Optional.of(known))))
                .path("nats");
        assertThat(imported(body, "subject")).contains("$O.files_team-a_shell.M.*");
        assertThat(body.path("revocations").has(keys.pool("uid-1").id())).isTrue();
    }

    @Test
    void theLastPoolOfANamespaceThatEndsTakesTheAccountAlong() {
        final String known = pushed(plan(NOW, List.of(SHELL, AIDER), Optional.empty()));
        final AccountPlanner planner = planner(NOW);
        final AccountPlan notYet = planner.planEnd(TEAM, List.of(AIDER), true, Optional.of(known));
        final AccountPlan last = planner.planEnd(TEAM, List.of(SHELL), true, Optional.of(pushed(notYet)));
        assertThat(last).isInstanceOf(AccountPlan.Delete.class);
        final JsonNode request = claims(((AccountPlan.Delete) last).jwt());
        assertThat(request.path("nats").path("accounts").get(0).asText())
                .isEqualTo(keys.namespace("ns-uid").id());
        assertThat(request.path("iss").asText()).isEqualTo(keys.operator().id());
        assertThat(planner.planEnd(TEAM, List.of(), false, Optional.of(known))).isInstanceOf(AccountPlan.Push.class);
        assertThat(planner.planEnd(TEAM, List.of(), true, Optional.empty())).isInstanceOf(AccountPlan.Keep.class);
    }

    @Test
    void anAccountTellsWhoseItIsOnlyWhereItsKeySaysTheSame() {
        final String account = planner(NOW).accountId(TEAM);
        final String known = pushed(plan(NOW, List.of(), Optional.empty()));
        assertThat(planner(NOW).namespaceOf(account, known)).contains(TEAM);
        assertThat(planner(NOW).namespaceOf(keys.namespace("another").id(), known))
                .isEmpty();
        final String shared = planner(NOW).shared().iterator().next();
        assertThat(planner(NOW).namespaceOf(shared, pushed(planner(NOW).planShared(shared, Optional.empty()))))
                .isEmpty();
        assertThat(claims(planner(NOW).deletion(TEAM)).at("/nats/accounts/0").asText())
                .isEqualTo(account);
    }

    @Test
    void theInstallationsOwnAccountsArePushedWhenTheServerHasOthers() {
        for (final String id : planner(NOW).shared()) {
            final String pushed = pushed(planner(NOW).planShared(id, Optional.empty()));
            assertThat(planner(NOW.plusSeconds(9)).planShared(id, Optional.of(pushed)))
                    .isInstanceOf(AccountPlan.Keep.class);
            final String old = pushed(plan(NOW, List.of(), Optional.empty()));
            assertThat(planner(NOW).planShared(id, Optional.of(old))).isInstanceOf(AccountPlan.Push.class);
        }
    }

    @Test
    void theConsoleFollowsTasksFromAnAccountWithoutJetStreamAndItsCredentialDoesNotExpire() {
        final JsonNode account = claims(
                        pushed(planner(NOW).planShared(keys.viewers().id(), Optional.empty())))
                .path("nats");
        assertThat(imported(account, "subject"))
                .containsExactly("results.>", "$JS.API.DIRECT.GET.RESULTS", "$JS.API.DIRECT.GET.LOGS");
        assertThat(imported(account, "account")).containsOnly(keys.streams().id());
        assertThat(account.path("limits").has("disk_storage")).isFalse();
        assertThat(account.has("exports")).isFalse();
        final JsonNode user = claims(mint.console(NOW).jwt());
        assertThat(user.path("iss").asText()).isEqualTo(keys.viewers().id());
        assertThat(user.has("exp")).isFalse();
        assertThat(user.at("/nats/pub/allow").valueStream().map(JsonNode::asText))
                .containsExactly("$JS.API.DIRECT.GET.RESULTS", "$JS.API.DIRECT.GET.LOGS");
        assertThat(user.at("/nats/sub/allow").valueStream().map(JsonNode::asText))
                .containsExactly("_INBOX_console.>", "results.*", "results.*.log");
    }

    @Test
    void whatOthersImportIsExported() {
        final JsonNode exports = claims(
                        pushed(planner(NOW).planShared(keys.streams().id(), Optional.empty())))
                .at("/nats/exports");
        for (final Key account : List.of(keys.clients(), keys.viewers())) {
            assertThat(exports.valueStream().map(AccountPlannerTest::shared))
                    .containsAll(claims(pushed(planner(NOW).planShared(account.id(), Optional.empty())))
                            .at("/nats/imports")
                            .valueStream()
                            .map(AccountPlannerTest::shared)
                            .toList());
        }
    }

    private static String shared(JsonNode entry) {
        return entry.path("type").asText() + " " + entry.path("subject").asText();
    }

    @Test
    void aPoolsCredentialNamesItsPoolsSubjectsAndIsMintedAnewAtHalfItsLife() throws Exception {
        final Duration day = Duration.ofHours(24);
        final Credential first = credential(NOW, day, Optional.empty());
        assertThat(credential(NOW.plus(Duration.ofHours(11)), day, Optional.of(first)))
                .isEqualTo(first);
        final Credential second = credential(NOW.plus(Duration.ofHours(12)), day, Optional.of(first));
        assertThat(second.file()).isNotEqualTo(first.file());
        final JsonNode user = claims(first.file().split("\n")[1]);
        assertThat(user.path("exp").asLong()).isEqualTo(NOW.plus(day).getEpochSecond());
        assertThat(user.path("iss").asText()).isEqualTo(keys.namespace("ns-uid").id());
        assertThat(user.at("/nats/pub/allow").valueStream().map(JsonNode::asText))
                .contains("events.team-a.shell.*", "$JS.API.CONSUMER.MSG.NEXT.tasks_team-a_shell.workers")
                .allMatch(subject -> subject.contains("shell"));
        assertThat(user.at("/nats/sub/allow").valueStream().map(JsonNode::asText))
                .containsExactly("_INBOX.team-a.shell.>", "control.team-a.shell.>", "holder.team-a.shell.*");
        assertThat(first.file()).contains("-----BEGIN NATS USER JWT-----", "-----BEGIN USER NKEY SEED-----\nSU");
    }

    private AccountPlan plan(Instant now, List<PoolIdentity> pools, Optional<String> known) {
        return planner(now).plan(TEAM, pools, known);
    }

    private AccountPlanner planner(Instant now) {
        return new AccountPlanner(mint, Clock.fixed(now, ZoneOffset.UTC));
    }

    private Credential credential(Instant at, Duration lifetime, Optional<Credential> current) {
        return new CredentialPlanner(lifetime, Clock.fixed(at, ZoneOffset.UTC))
                .plan(current, (now, life) -> mint.worker(TEAM, SHELL, now, life));
    }

    private static String pushed(AccountPlan plan) {
        assertThat(plan).isInstanceOf(AccountPlan.Push.class);
        return ((AccountPlan.Push) plan).jwt();
    }

    private static List<String> imported(JsonNode body, String field) {
        return body.path("imports")
                .valueStream()
                .map(shared -> shared.path(field).asText())
                .toList();
    }

    private static JsonNode claims(String jwt) {
        try {
            return Claims.JSON.readTree(JwtUtils.getClaimBody(jwt));
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
