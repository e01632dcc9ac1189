package dev.codeforge.operator.pool.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.identity.NamespaceIdentity;
import dev.codeforge.operator.pool.access.NamespaceAccounts.Membership;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class NamespaceAccountsTest {
    private static final NamespaceIdentity TEAM = new NamespaceIdentity("team", "uid-of-team");

    private final NamespaceAccounts accounts = new NamespaceAccounts();

    @Test
    void poolsOfOneNamespaceKnowOfItsAccountTogether() {
        final Membership one = accounts.join(TEAM, "one");
        final Membership two = accounts.join(TEAM, "two");
        one.problem(Optional.of("away"));
        assertThat(two.problem()).contains("away");
        assertThat(two.pools()).containsExactlyInAnyOrder("one", "two");
        assertThat(accounts.join(new NamespaceIdentity("team", "of a later one"), "three")
                        .problem())
                .isEmpty();
    }

    @Test
    void anAccountIsForgottenWithTheLastOfItsPools() {
        final Membership one = accounts.join(TEAM, "one");
        final AccessMemory two = new AccessMemory();
        two.membership(accounts.join(TEAM, "two"));
        one.problem(Optional.of("away"));
        one.end();
        assertThat(accounts.join(TEAM, "three").problem()).contains("away");
        two.end();
        accounts.join(TEAM, "three").end();
        assertThat(accounts.join(TEAM, "four").problem()).isEmpty();
    }
}
