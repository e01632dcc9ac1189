"""Credentials of a repository: its URL's own password or a mounted Secret, available to git for one command."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import quote

from .remote_url import HttpUrl, http_url
from .settings import GitCredential

# Go leaves these as they are in a user's name, git does not.
_LEFT_BY_GO = "$&+,;="
_SSH = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes"


def match(credentials: tuple[GitCredential, ...], url: str) -> GitCredential | None:
    """The credential with the longest prefix of the URL, ending where a path segment does."""

    def covers(prefix: str) -> bool:
        return url == prefix or url.startswith(prefix if prefix.endswith(("/", ":")) else prefix + "/")

    found = [credential for credential in credentials if covers(credential.url)]
    return max(found, key=lambda credential: len(credential.url), default=None)


class Login:
    """`url` is the repository's without a password; the password is only in the files that `lent` creates."""

    def __init__(self, credentials: tuple[GitCredential, ...], url: str) -> None:
        self._http = http_url(url)
        self.url = self._http.bare if self._http else url
        credential = match(credentials, url)
        self._mounted = Path(credential.path) if credential else None

    @property
    def is_empty(self) -> bool:
        return self._mounted is None and not (self._http and self._http.user)

    @contextlib.contextmanager
    def lent(self, parent: Path, times: int = 1) -> Generator[dict[str, str]]:
        """Variables that make git use the credential within the block; their files are in a new folder in `parent`.

        A password is answered `times` times, once per connection: git-lfs would ask for ever when it is refused.
        """
        folder = Path(tempfile.mkdtemp(prefix="login-", dir=parent))
        try:
            yield {"GIT_SSH_COMMAND": self._ssh(folder)} | self._askpass(folder, times)
        finally:
            shutil.rmtree(folder)

    def _ssh(self, folder: Path) -> str:
        if self._mounted is None or not (self._mounted / "identity").exists():
            return _SSH
        # ssh refuses a key that its group may read, and a mounted Secret is read by its group.
        identity = folder / "identity"
        identity.touch(mode=0o600)
        shutil.copyfile(self._mounted / "identity", identity)
        hosts = shlex.quote(str(self._mounted / "known_hosts"))
        return f"{_SSH} -i {shlex.quote(str(identity))} -o IdentitiesOnly=yes -o UserKnownHostsFile={hosts}"

    def _askpass(self, folder: Path, times: int) -> dict[str, str]:
        if self._http is None or self.is_empty:
            return {}
        username = self._file("username", self._http.user, folder)
        password = self._file("password", self._http.password, folder)
        program = folder / "askpass"
        program.write_text(_script(self._http, username, password, times))
        program.chmod(0o700)
        return {"GIT_ASKPASS": str(program)}

    def _file(self, name: str, of_url: str, folder: Path) -> Path:
        if self._mounted and not of_url:
            return self._mounted / name
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(of_url)
        return file


def _script(url: HttpUrl, username: Path, password: Path, times: int) -> str:
    """Answers prompts for the URL's own server, a limited number of times."""
    with_user = {f"{url.scheme}://{user}@{url.host}" for user in _spellings(username)} or {url.origin}
    return f"""#!/bin/sh
exec 2>/dev/null
set -C
case "$1" in
{_prompts("Username", {url.origin})}) answer={shlex.quote(str(username))} ;;
{_prompts("Password", with_user)}) answer={shlex.quote(str(password))} ;;
*) exit 1 ;;
esac
for number in {" ".join(map(str, range(times)))}; do
  true >"$0-${{answer##*/}}-$number" && exec cat "$answer"
done
exit 1
"""


def _prompts(what: str, origins: set[str]) -> str:
    """A shell pattern: git quotes the URL with ' and git-lfs with "; a path may follow."""
    return " | ".join(f'"{what} for "[\\"\\\']{shlex.quote(origin)}[\\"\\\'/]*' for origin in sorted(origins))


def _spellings(username: Path) -> set[str]:
    """The spellings of the user in a prompt for the password; empty without one."""
    try:
        user = username.read_text().partition("\n")[0]
    except OSError:
        return set()
    return {user, quote(user, safe=""), quote(user, safe=_LEFT_BY_GO)} if user else set()
