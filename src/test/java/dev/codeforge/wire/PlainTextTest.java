package dev.codeforge.wire;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PlainTextTest {

    @ParameterizedTest
    @ValueSource(strings = {"", "hello", "a\tb\nc", "Änderung – 変更 🙂", "\u00A0\uE000\uFFFD"})
    void textThatEveryReaderTakesIsLeftAlone(String text) {
        assertThat(PlainText.of(text)).isSameAs(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\0", "\u0007", "\u001B", "\r", "\u007F", "\u0085", "\u009F", "\uFEFF", "\uFFFE", "\uFFFF"})
    void eachControlCharacterIsReplaced(String control) {
        assertThat(PlainText.of("a" + control + "b")).isEqualTo("a\uFFFDb");
    }

    @Test
    void aTerminalSequenceLosesItsEscape() {
        assertThat(PlainText.of("\u001B]0;title\u0007\u001B[31mred")).isEqualTo("\uFFFD]0;title\uFFFD\uFFFD[31mred");
    }

    @Test
    void halfOfASurrogatePairIsReplacedAndAWholeOneIsNot() {
        assertThat(PlainText.of("\uD83D\uDE42\uD83D a \uDE42")).isEqualTo("🙂\uFFFD a \uFFFD");
        assertThat(PlainText.of("\uD83D")).isEqualTo("\uFFFD");
    }

    @Test
    void anotherLineBreakIsALineBreak() {
        assertThat(PlainText.of("a\u2028--- b\u2029c")).isEqualTo("a\n--- b\nc");
    }

    @Test
    void longTextIsCutToItsBeginning() {
        assertThat(PlainText.first("0123456789", 4)).isEqualTo("0123");
        assertThat(PlainText.first("0123", 4)).isEqualTo("0123");
    }

    @Test
    void longTextIsCutToItsEnd() {
        assertThat(PlainText.last("0123456789", 4)).isEqualTo("6789");
        assertThat(PlainText.last("6789", 4)).isEqualTo("6789");
    }

    @Test
    void aCutLeavesNoHalfOfAPair() {
        assertThat(PlainText.first("a🙂", 2)).isEqualTo("a\uFFFD");
        assertThat(PlainText.last("🙂a", 2)).isEqualTo("\uFFFDa");
    }
}
