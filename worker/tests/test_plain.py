"""What an agent prints is bytes: what is made of them is text that no terminal obeys and every reader takes."""

from __future__ import annotations

import json
import random

import pytest

from codeforge_worker import plain
from codeforge_worker.outcome import Outcome, failure

MOST = 8192


def _read(printed: bytes, portion: int, most: int = MOST) -> list[str]:
    """The lines of a pipe that gives so many bytes at once."""
    lines = plain.Lines(most)
    read = [line for at in range(0, len(printed), portion) for line in lines.take(printed[at : at + portion])]
    return read + lines.end()


@pytest.mark.parametrize("portion", [1, 2, 3, 5, 65536])
@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"one\ntwo", ["one", "two"]),
        (b"\n\nthree\n", ["", "", "three"]),
        (b"windows\r\nlines\r\n", ["windows", "lines"]),
        ("ein Bär, 日本, 🐻\n".encode(), ["ein Bär, 日本, 🐻"]),
        # Bytes that are no UTF-8, and the half of a character at the end.
        (b"\xff\xfe binary \x00\x01\n\xe6\x97", ["�� binary ��", "�"]),
        (b"bell \x07, delete \x7f, tab\there\n", ["bell �, delete �, tab\there"]),
        # U+0085, U+009B, a byte order mark.
        ("next\x85line \x9b31m \ufeffmark".encode(), ["next�line �31m �mark"]),
        ("one\u2028two\u2029three".encode(), ["one", "two", "three"]),
        # A line feed ends every line, in the middle of what else begins there.
        (b"\xe6\x97\nrest", ["�", "rest"]),
        (b" 10%\r 50%\r100%\nnext", ["100%", "next"]),
        (b" 10%\r 50%\r", [" 50%"]),
        (b"99%\r\x1b[Kdone\n", ["done"]),
        (b"\x1b[1;31mred\x1b[0m \x1b[2J\x1b[Hhome\x1b[?25l\n", ["red home"]),
        (b"\x1b(Bset \x1b7kept\x1b8\x1bc\n", ["set kept"]),
        (b"\x1b]0;a title\x07text \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", ["text link"]),
        (b"\x1bPq#0;sixel\x1b\\picture\n", ["picture"]),
        # What its line cuts takes nothing of the next one along.
        (b"cut \x1b]0;no end\nnext \x1b[31\nlast\x1b", ["cut ", "next ", "last"]),
    ],
)
def test_lines_are_those_of_a_terminal_however_they_are_portioned(
    printed: bytes, lines: list[str], portion: int
) -> None:
    assert _read(printed, portion) == lines


@pytest.mark.parametrize("portion", [1, 1000, 65536])
def test_a_long_line_comes_in_parts_and_no_character_is_cut(portion: int) -> None:
    text = "".join(random.Random(7).choices("aß日🐻", k=20_000))
    parts = _read(text.encode() + b"\nnext\n", portion)
    assert "".join(parts[:-1]) == text and parts[-1] == "next"
    assert max(len(part.encode()) for part in parts) <= MOST
    assert min(len(part.encode()) for part in parts[:-2]) > MOST - 4


def test_a_line_that_just_fills_a_part_is_followed_by_no_empty_one() -> None:
    for size in range(MOST - 2, MOST + 3):
        parts = _read(b"x" * size + b"\nnext\n", 65536)
        assert parts == [*(["x" * MOST] if size > MOST else []), "x" * (size - MOST if size > MOST else size), "next"]
        assert _read(b"x" * size + b"\nnext\n", 1) == parts


def test_a_line_of_ten_megabytes_holds_no_more_than_a_part() -> None:
    lines, size = plain.Lines(MOST), 0
    for _ in range(160):
        size += sum(map(len, lines.take(b"x" * 65536)))
        assert 160 * 65536 - size > 0 and len(lines._rest) <= 2 * MOST  # pyright: ignore[reportPrivateUsage]
    assert size + len("".join(lines.end())) == 160 * 65536


@pytest.mark.parametrize("begins", [b"\x1b]52;c;", b"\x1bP", b"\x1b["])
def test_a_sequence_of_a_megabyte_is_left_out_and_not_held(begins: bytes) -> None:
    lines = plain.Lines(MOST)
    read = lines.take(b"before " + begins)
    for _ in range(16):
        read += lines.take(b"0" * 65536)
        assert len(lines._rest) < 2 * MOST  # pyright: ignore[reportPrivateUsage]
    ends = b"m" if begins == b"\x1b[" else b"\x1b\\"
    assert read + lines.take(ends[:1]) + lines.take(ends[1:] + b"after\n") == ["before after"]


def test_an_hour_of_a_progress_bar_is_not_held() -> None:
    lines = plain.Lines(MOST)
    for percent in range(100_000):
        assert lines.take(b"\r%8d" % percent) == []
    assert len(lines._rest) < 2 * MOST  # pyright: ignore[reportPrivateUsage]
    assert lines.take(b"\n") == ["   99999"]


@pytest.mark.parametrize("portion", [1, 7, 64, 65536])
def test_any_bytes_become_text_that_needs_no_more_cleaning(portion: int) -> None:
    seed = random.Random(11)
    pieces = [
        b"\x1b",
        b"[",
        b"]",
        b"\\",
        b"\x07",
        b"\r",
        b"\n",
        b"\xe2\x80\xa8",
        b"\xed\xa0\x80",
        b"P",
        b";",
        b"a",
        b"\x9b",
    ]
    for _ in range(200):
        printed = b"".join(seed.choice(pieces) * seed.randint(1, 3) for _ in range(80))
        for line in _read(printed, portion, most=16):
            assert plain.of(line) == line and "\n" not in line and len(line.encode()) <= 16
            json.dumps(line, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a\u2028b", "a\x85b", "a\x1b[2Kb", "a\x0bb", "a\x1eb", "a\ud800b"])
def test_what_ends_a_line_somewhere_ends_it_here_or_is_replaced(text: str) -> None:
    for line in plain.lines_of(text, MOST):
        assert line.splitlines() == [line]


def test_a_message_has_the_operators_rule() -> None:
    """As PlainTextTest has it."""
    assert plain.of("tab\there\nnew") == "tab\there\nnew"
    assert plain.of("a\x00b\x7fc\x9fd") == "a�b�c�d"
    assert plain.of("half \ud83d, whole 🐻, mark \ufeff, none \ufffe\uffff") == "half �, whole 🐻, mark �, none ��"
    assert plain.of("a\u2028b\u2029c") == "a\nb\nc"
    assert plain.line_of("a\nb") == "a b"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain/Bär.txt", "plain/Bär.txt"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), "caf\\xe9"),
        ("two\nlines\tand\x1b[31m red", "two\\x0alines\tand\\x1b[31m red"),
        ("a\u2028b\x85c\ufeff", "a\\u2028b\\x85c\\ufeff"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_a_name_keeps_to_its_line_and_says_its_bytes(name: str, shown: str) -> None:
    assert plain.name_of(name) == shown


def test_a_failure_and_a_summary_are_plain() -> None:
    assert failure("AgentFailed", "it said \x1b[31mno\x00\ud800").message == "it said no��"
    told = Outcome(summary="done\x07", artifacts_problem="a\x1b]0;x\x07b").result()
    assert (told.summary, told.artifacts_problem) == ("done�", "ab")
