package dev.codeforge.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nats.client.NKey;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

final class KeysTest {
    private final Keys keys = new Keys("a secret of exactly thirty-two b.".getBytes(StandardCharsets.US_ASCII));

    /** An installation whose keys came out otherwise after an upgrade would lose its streams. */
    @Test
    void theSameSecretGivesTheSameKeysForEver() {
        assertThat(keys.operator().id()).isEqualTo("OAMFGPB5C43P66HAXZELIAWIRJUQFPP6AYYWO53MQ5NEDB3T3GMLU6TI");
        assertThat(keys.streams().id()).isEqualTo("ACANC6VZQW4FLYJGF4SFO3ASVF267JFXHYJPM6PVOZR6W3WXORGL6A3F");
        assertThat(keys.namespace("uid-1").id()).isEqualTo("ABDOVUJBWKZZIH2ESU4Y7PUDQYH5PDXC6SWZZAA7OQUWTZZ6MRB3SJYZ");
        assertThat(keys.pool("uid-2").id()).isEqualTo("UBAGMZYDAJM53XXOAQXJSM2UY7X3B3GONKVDRMK5BSYR2ZGQGRHCVEI2");
    }

    @Test
    void theClientLibraryReadsASeedAsTheSameKey() throws Exception {
        for (final Key key : new Key[] {keys.operator(), keys.system(), keys.pool("p")}) {
            final NKey read = NKey.fromSeed(key.seed().toCharArray());
            assertThat(new String(read.getPublicKey())).isEqualTo(key.id());
            assertThat(read.verify(new byte[] {1, 2}, key.sign(new byte[] {1, 2})))
                    .isTrue();
        }
        assertThat(NKey.isValidPublicOperatorKey(keys.operator().id().toCharArray()))
                .isTrue();
        assertThat(NKey.isValidPublicAccountKey(keys.streams().id().toCharArray()))
                .isTrue();
        assertThat(NKey.isValidPublicUserKey(keys.pool("p").id().toCharArray())).isTrue();
    }

    @Test
    void eachUidHasAKeyOfItsOwn() {
        assertThat(keys.namespace("1").id()).isNotEqualTo(keys.namespace("2").id());
        assertThat(keys.pool("1").id()).isNotEqualTo(keys.pool("2").id());
        assertThat(new Keys(Keys.generate()).streams().id())
                .isNotEqualTo(keys.streams().id());
    }

    @Test
    void aShortSecretIsRefusedWithWhatToDo() {
        assertThatThrownBy(() -> new Keys(new byte[8]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has 8 bytes, at least 32 are needed: delete its Secret");
    }
}
