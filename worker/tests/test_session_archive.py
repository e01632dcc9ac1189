"""A conversation's folder in one file, and what is not let out of such a file."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from codeforge_worker.session_archive import LIMIT_BYTES, BadArchive, TooLarge, pack, unpack


def _packed(folder: Path) -> Path:
    archive = folder.parent / "archive.tar.gz"
    pack(folder, archive)
    return archive


def _made(tmp_path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    archive = tmp_path / "archive.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive


def _member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "session"
    folder.mkdir()
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    target = tmp_path / "target"
    target.mkdir()
    return target


def test_files_and_folders_come_back_as_they_were(folder: Path, target: Path) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "naïve.txt").write_text("“said”")
    (folder / "empty").mkdir()
    (folder / "tool").write_bytes(b"\0\1")
    (folder / "tool").chmod(0o755)
    unpack(_packed(folder), target)
    assert (target / "deep" / "er" / "naïve.txt").read_text() == "“said”"
    assert (target / "empty").is_dir()
    assert (target / "tool").read_bytes() == b"\0\1" and os.access(target / "tool", os.X_OK)
    assert not [path for path in folder.parent.iterdir() if path.suffix == ".tar"], "the plain archive was left"


def test_an_empty_folder_is_a_conversation_too(folder: Path, target: Path) -> None:
    unpack(_packed(folder), target)
    assert list(target.iterdir()) == []


def test_links_and_special_files_stay_behind(folder: Path, target: Path) -> None:
    (folder / "secret").symlink_to("/etc/passwd")
    (folder / "folder").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    (folder / "said").write_text("x")
    unpack(_packed(folder), target)
    assert [path.name for path in target.iterdir()] == ["said"]


def test_a_folder_that_became_a_link_is_not_packed(folder: Path, target: Path, tmp_path: Path) -> None:
    other = tmp_path / "another run's"
    other.mkdir()
    (other / "secret").write_text("x")
    folder.rmdir()
    folder.symlink_to(other)
    unpack(_packed(folder), target)
    assert list(target.iterdir()) == []


def test_a_file_with_two_names_comes_back_as_two(folder: Path, target: Path) -> None:
    (folder / "a").write_text("said")
    os.link(folder / "a", folder / "b")
    unpack(_packed(folder), target)
    assert (target / "a").read_text() == (target / "b").read_text() == "said"


def test_folders_that_are_too_deep_are_not_packed(folder: Path) -> None:
    (folder / "/".join(["a"] * 101)).mkdir(parents=True)
    with pytest.raises(TooLarge, match="more than 100 deep"):
        _packed(folder)


def test_a_folder_that_is_too_large_is_not_packed(folder: Path) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(LIMIT_BYTES + 1)
    with pytest.raises(TooLarge, match="larger than 64 MiB"):
        _packed(folder)


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out"])
def test_nothing_is_written_outside(tmp_path: Path, target: Path, name: str) -> None:
    with pytest.raises(BadArchive, match="leads out"):
        unpack(_made(tmp_path, (_member(name), b"x")), target)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_only_files_and_folders_are_unpacked(tmp_path: Path, target: Path, kind: bytes) -> None:
    with pytest.raises(BadArchive):
        unpack(_made(tmp_path, (_member("odd", kind, "/etc"), b"")), target)
    assert list(target.iterdir()) == []


def test_a_file_that_comes_twice_is_refused(tmp_path: Path, target: Path) -> None:
    with pytest.raises(BadArchive):
        unpack(_made(tmp_path, (_member("a"), b"1"), (_member("a"), b"2")), target)


def test_few_bytes_that_stand_for_many_are_refused(tmp_path: Path, target: Path) -> None:
    archive = tmp_path / "archive.tar.gz"
    with gzip.open(archive, "wb", compresslevel=1) as file:
        for _ in range(65):
            file.write(bytes(1 << 20))
    with pytest.raises(BadArchive, match="64 MiB"):
        unpack(archive, target)


@pytest.mark.parametrize("keep", [0, 10, -10])
def test_a_damaged_archive_is_refused(folder: Path, target: Path, keep: int) -> None:
    (folder / "said").write_bytes(os.urandom(5000))
    archive = _packed(folder)
    content = archive.read_bytes()
    archive.write_bytes(b"no archive" if keep == 0 else content[:keep])
    with pytest.raises(BadArchive, match="cannot be unpacked"):
        unpack(archive, target)
