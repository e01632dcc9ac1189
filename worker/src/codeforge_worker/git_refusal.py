"""Explains a refusal by git or its server: in their own words, and whether a retry can help."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .credentials import Login
from .git import GitError
from .outcome import RunError

# A rule's own words are kept whole up to this.
_CHARACTERS = 3000
_TOLD = ("remote:", "!\t", "fatal: ", "error: ")
_REMOTE = re.compile(r"remote:\s*")
_HINT = re.compile(r"remote: (Enumerating|Counting|Compressing|Total|Resolving|Processing) ")
_LATER = re.compile(
    r"\.lock'?: File exists|but expected|try again (later|in )|please retry|timed out|unreachable|service unavailable"
    r"|temporar(y|ily) (error|failure|unavailable)|internal (api|server) (error|unreachable)|no space left"
    r"|returned error: (408|429|5\d\d)",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"\[(remote )?rejected\]|\[remote failure\]|hook declined|protected branch|non-fast-forward|invalid refspec"
    r"|src refspec|not a valid ref|couldn't find remote ref|not our ref|no such ref|too large|exceeds maximum"
    r"|larger than|returned error: (404|405|410|413)|mismatched algorithms|unknown object format"
    r"|repository '.*' not found|access denied or repository not exported|not enabled|shallow update not allowed"
    r"|does not support this repository's hash algorithm",
    re.IGNORECASE,
)

_CREDENTIAL = (
    "could not read Username",
    "could not read Password",
    "Authentication failed",
    "Permission denied",
    "returned error: 401",
    "returned error: 403",
)
# A redirection is not followed.
_MOVED = "returned error: 30"
_SHA_256 = re.compile("mismatched algorithms|hash algorithm|unknown object format")


def explained(type: str, what: str, error: GitError, login: Login) -> RunError:
    """A failure of this type. `what` is what could not be done."""
    said = words(error.lines) or str(error)
    refused = any(sign in said for sign in _CREDENTIAL)
    if refused and login.is_empty:
        return RunError(
            "CredentialsMissing",
            f"{what}: the server wants credentials and no entry of the pool's git.credentials matches; {said}",
        )
    moved = "; the server redirects: give the URL that it leads to" if _MOVED in said else ""
    hint = "; the worker reads repositories of SHA-1 alone" if _SHA_256.search(said) else ""
    return RunError(type, f"{what}: {said}{moved}{hint}", refused=refused or is_final(error.lines))


def words(lines: Sequence[str]) -> str:
    """The reason first, then the server's lines, without hints and counters; empty if there is neither."""
    if not any(line.startswith(("remote:", "!\t")) for line in lines):
        return ""
    told = [line.strip() for line in lines if line.startswith(_TOLD) and not _HINT.match(line)]
    reasons = [" ".join(line.split("\t")[2:]) for line in told if line.startswith("!\t")]
    said = [_REMOTE.sub("", line, count=1) for line in told if not line.startswith("!\t")]
    return "; ".join(line for line in dict.fromkeys((*reasons, *said)) if line)[:_CHARACTERS]


def is_final(lines: Sequence[str]) -> bool:
    """Whether another attempt would be refused too."""
    text = "\n".join(lines)
    return _FINAL.search(text) is not None and _LATER.search(text) is None
