package dev.codeforge.wire;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class LedgerKeyTest {
    @Test
    void aKeyIsKeptByInstallationAndNamespaceInLettersThatABucketTakes() {
        assertThat(LedgerKey.of("cluster", "team-a", "nightly build/1"))
                .startsWith("cluster.team-a.")
                .matches("[-a-z0-9.]+")
                .isNotEqualTo(LedgerKey.of("other", "team-a", "nightly build/1"))
                .isNotEqualTo(LedgerKey.of("cluster", "team-b", "nightly build/1"))
                .isNotEqualTo(LedgerKey.of("cluster", "team-a", "nightly build/2"));
    }

    @Test
    void anEntryOfAnEarlierVersionIsFoundUnderTheSameHash() {
        assertThat(LedgerKey.of("cluster", "team-a", "nightly"))
                .isEqualTo("cluster." + LedgerKey.ofEarlierVersions("team-a", "nightly"));
    }
}
