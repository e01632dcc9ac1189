"""Which mounted Secret opens a repository, and how git is told."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from .settings import GitCredential


def match(credentials: tuple[GitCredential, ...], url: str) -> GitCredential | None:
    """The credential with the longest prefix of the URL, ending where a path segment does."""

    def covers(prefix: str) -> bool:
        return url == prefix or url.startswith(prefix if prefix.endswith(("/", ":")) else prefix + "/")

    found = [credential for credential in credentials if covers(credential.url)]
    return max(found, key=lambda credential: len(credential.url), default=None)


def environment(credential: GitCredential | None, scratch: Path) -> dict[str, str]:
    """Variables that make git use the credential; files are private to this run."""
    if credential is None:
        return {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes"}
    mounted = Path(credential.path)
    if (mounted / "identity").exists():
        # ssh refuses a key that its group may read, and a mounted Secret is read by its group.
        identity = scratch / "identity"
        shutil.copyfile(mounted / "identity", identity)
        identity.chmod(0o600)
        hosts = shlex.quote(str(mounted / "known_hosts"))
        command = f"ssh -i {shlex.quote(str(identity))} -o IdentitiesOnly=yes -o BatchMode=yes"
        return {"GIT_SSH_COMMAND": f"{command} -o StrictHostKeyChecking=yes -o UserKnownHostsFile={hosts}"}
    askpass = scratch / "askpass"
    askpass.write_text(
        "#!/bin/sh\n"
        f'case "$1" in Username*) cat {shlex.quote(str(mounted / "username"))};; '
        f"*) cat {shlex.quote(str(mounted / 'password'))};; esac\n"
    )
    askpass.chmod(0o700)
    return {"GIT_ASKPASS": str(askpass)}
