"""A repository's credential: lent for a while, to what asks for the repository's own server, and once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from codeforge_worker.credentials import Login
from codeforge_worker.settings import GitCredential

# Git's own words, and those of git-lfs; what asks is Python here.
SECRET = "s3cret word"
ASK = "import subprocess, sys\nfor one in sys.argv[2:]: subprocess.run([sys.argv[1], one])"


def _login(tmp_path: Path, url: str, username: str = "agent", password: str = SECRET) -> Login:
    (tmp_path / "username").write_text(username)
    (tmp_path / "password").write_text(password)
    return Login((GitCredential(url, str(tmp_path)),), url)


def _answers(login: Login, folder: Path, *prompts: str, times: int = 1) -> str:
    with login.lent(folder, times) as variables:
        asked = [sys.executable, "-c", ASK, variables["GIT_ASKPASS"], *prompts]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("origin", ["https://git.example.org", "http://127.0.0.1:8080"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_its_own_server_is_answered(tmp_path: Path, origin: str, quote: str) -> None:
    login = _login(tmp_path, f"{origin}/team/demo.git")
    of_user = origin.replace("//", "//agent@")
    for rest in ("", "/team/demo.git"):
        assert _answers(login, tmp_path, f"Username for {quote}{origin}{rest}{quote}: ") == "agent"
        assert _answers(login, tmp_path, f"Password for {quote}{of_user}{rest}{quote}: ") == "s3cret word"


@pytest.mark.parametrize(
    "prompt",
    [
        "Password for 'https://agent@evil.invalid': ",
        "Password for 'https://agent@git.example.org.evil.invalid': ",
        "Password for 'https://agent@git.example.org:8443': ",
        "Password for 'https://agent@git.example.org@evil.invalid': ",
        "Password for 'http://agent@git.example.org': ",
        "Password for 'https://other@git.example.org': ",
        "Password for 'https://evil.invalid/'https://agent@git.example.org': ",
        "Username for 'https://evil.invalid': ",
        "Username for 'https://git.example.org.evil.invalid/x': ",
        "https://agent@git.example.org",
        "",
    ],
)
def test_no_other_is(tmp_path: Path, prompt: str) -> None:
    login = _login(tmp_path, "https://git.example.org/demo.git")
    assert _answers(login, tmp_path, prompt) == ""


def test_each_connection_is_answered_once(tmp_path: Path) -> None:
    """git-lfs would ask for ever when the password is refused."""
    login = _login(tmp_path, "https://h/demo.git")
    username, password = "Username for 'https://h': ", "Password for 'https://agent@h': "
    asked = (username, password) * 3
    assert _answers(login, tmp_path, *asked) == "agents3cret word"
    assert _answers(login, tmp_path, *asked, times=2) == "agents3cret word" * 2


@pytest.mark.parametrize("spelling", ["a+b@c", "a%2Bb%40c", "a+b%40c"])
def test_a_user_is_known_however_it_is_spelled(tmp_path: Path, spelling: str) -> None:
    login = _login(tmp_path, "https://h/demo.git", "a+b@c\n")
    assert _answers(login, tmp_path, f"Password for 'https://{spelling}@h': ") == "s3cret word"


def test_a_urls_own_password_is_not_in_the_url_that_git_gets(tmp_path: Path) -> None:
    login = Login((), "https://bob:p%40ss@h:1/demo.git")
    assert (login.url, login.is_empty) == ("https://h:1/demo.git", False)
    prompts = ("Username for 'https://h:1': ", "Password for 'https://bob@h:1': ")
    assert _answers(login, tmp_path, *prompts) == "bobp@ss"


def test_what_is_in_a_secret_is_no_text_of_a_shell(tmp_path: Path) -> None:
    login = _login(tmp_path, "https://h/demo.git", "$(touch x)'\"*", "`id`")
    assert _answers(login, tmp_path, "Password for 'https://$(touch x)'\"*@h': ") == "`id`"
    assert _answers(login, tmp_path, "Password for 'https://evil@h': ") == ""


def test_a_key_is_there_while_it_is_lent(tmp_path: Path) -> None:
    (tmp_path / "identity").write_text("key")
    (tmp_path / "known_hosts").write_text("host")
    login = Login((GitCredential("git@h:", str(tmp_path)),), "git@h:demo.git")
    folder = tmp_path / "lent"
    folder.mkdir()
    with login.lent(folder) as variables:
        (place,) = folder.iterdir()
        assert f"-i {place}/identity" in variables["GIT_SSH_COMMAND"]
        assert f"UserKnownHostsFile={tmp_path}/known_hosts" in variables["GIT_SSH_COMMAND"]
        assert (place / "identity").read_text() == "key" and (place / "identity").stat().st_mode & 0o077 == 0
    assert not list(folder.iterdir())


def test_without_a_credential_nothing_is_answered(tmp_path: Path) -> None:
    login = Login((), "https://h/demo.git")
    with login.lent(tmp_path) as variables:
        assert login.is_empty and "GIT_ASKPASS" not in variables
