"""Makes text from outside (an agent, git, a model, a file name) safe for readers of events and logs.

The operator's PlainText has the same rule for characters. Terminal sequences are removed before it.
"""

from __future__ import annotations

import codecs
import re

_REPLACEMENT = "\ufffd"
# Control characters but newline and tab, halves of surrogate pairs, and what no YAML takes.
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_SEPARATOR = re.compile("[\u2028\u2029]")
# CSI, a string such as OSC's, or another escape; also one that its line cuts.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)")
_UNFINISHED = re.compile(r"\x1b(?:(\[)[0-?]*[ -/]*|([\]PX^_])[^\x07\x1b]*(\x1b?)|[ -/]*)\Z")
_NEWLINE = re.compile("\n")
# Of a sequence that has not ended, more than this is not kept: it is left out anyway.
_UNFINISHED_CHARACTERS = 64
_STEP = 1024


def of(text: str) -> str:
    """Without terminal sequences and overwritten text; every other character that no reader takes as U+FFFD."""
    text = _SEPARATOR.sub("\n", text)
    if not _UNREADABLE.search(text):
        return text
    return "\n".join(map(_line, text.split("\n")))


def line_of(text: str) -> str:
    """As `of`, in one line."""
    return of(text).replace("\n", " ")


def lines_of(text: str, most: int) -> list[str]:
    """As `of`, line by line; one of more than `most` bytes of UTF-8 in parts."""
    return [part for line in of(text).split("\n") for part in _parts(line, most)]


def name_of(path: str) -> str:
    """A file's name in one line: bytes that are no UTF-8, and characters that no reader takes, by their numbers."""
    for unreadable in (_UNREADABLE, _SEPARATOR, _NEWLINE):
        path = unreadable.sub(_number, path)
    return path


class Records:
    """Lines of a pipe for a program to read: nothing is left out, one of more than `most` bytes comes in parts."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = bytearray()

    def take(self, chunk: bytes) -> list[str]:
        *whole, rest = chunk.split(b"\n")
        lines: list[bytes] = []
        for line in whole:
            lines.append(self._ended(line))
        self._rest += rest
        if len(self._rest) >= self._most:
            lines.append(self._ended())
        return [line.decode("utf-8", "replace") for line in lines]

    def end(self) -> list[str]:
        return [self._ended().decode("utf-8", "replace")] if self._rest else []

    def _ended(self, more: bytes = b"") -> bytes:
        line, self._rest = bytes(self._rest) + more, bytearray()
        return line


class Lines:
    """Plain lines of a pipe, from its bytes in any portions; one of more than `most` bytes comes in parts."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        # Of a line that has not ended.
        self._rest = ""
        # From this length on it is looked at again: not at every character of one that comes slowly.
        self._look = _STEP
        # Its beginning has been passed on.
        self._cut = False

    def take(self, chunk: bytes) -> list[str]:
        return self._lines(self._decoder.decode(chunk))

    def end(self) -> list[str]:
        """What is left when nothing follows."""
        lines = self._lines(self._decoder.decode(b"", True))
        return lines + self._ended(self._rest) if self._rest else lines

    def _lines(self, text: str) -> list[str]:
        *whole, self._rest = _SEPARATOR.sub("\n", self._rest + text).split("\n")
        lines = [part for line in whole for part in self._ended(line)]
        if whole:
            self._look = _STEP
        if len(self._rest) >= self._look:
            lines += self._begun()
            self._look = len(self._rest) + _STEP
        return lines

    def _ended(self, line: str) -> list[str]:
        parts = _parts(_line(line), self._most)
        was_cut, self._cut = self._cut, False
        return [] if was_cut and parts == [""] else parts

    def _begun(self) -> list[str]:
        """The parts of a line without end that are full. What is overwritten already needs not be kept."""
        rest, unfinished = _without_unfinished(self._rest)
        rest = _SEQUENCE.sub("", rest)
        text = rest.rstrip("\r")
        # The next character decides whether the text before it is overwritten.
        returned = "\r" if len(text) < len(rest) else ""
        *full, begun = _parts(_UNREADABLE.sub(_REPLACEMENT, text.rpartition("\r")[2]), self._most)
        self._cut = self._cut or bool(full)
        self._rest = begun + returned + unfinished
        return full


def _line(line: str) -> str:
    """A line as a terminal would show it at its end, but for colours and a longer text below."""
    if not _UNREADABLE.search(line):
        return line
    shown = _SEQUENCE.sub("", line).rstrip("\r").rpartition("\r")[2]
    return _UNREADABLE.sub(_REPLACEMENT, shown)


def _parts(text: str, most: int) -> list[str]:
    """Of at most so many bytes of UTF-8 each; an empty text is one."""
    if len(text) * 4 <= most:
        return [text]
    raw = text.encode()
    parts: list[str] = []
    start = 0
    while len(raw) - start > most:
        end = start + most
        while raw[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(raw[start:end].decode())
        start = end
    return [*parts, raw[start:].decode()]


def _without_unfinished(text: str) -> tuple[str, str]:
    """What stands before a sequence that has not ended, and that, shortened: of its inside nothing is shown."""
    found = _UNFINISHED.search(text)
    if not found:
        return text, ""
    unfinished = found[0]
    if len(unfinished) > _UNFINISHED_CHARACTERS:
        unfinished = "\x1b" + (found[1] or found[2] or "") + (found[3] or "")
    return text[: found.start()], unfinished


def _number(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        # As Python has such a byte in a name.
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
