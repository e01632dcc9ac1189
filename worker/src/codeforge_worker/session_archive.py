"""A conversation's folder as one gzipped tar file: regular files and folders only, within the folder."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from .no_link import opened_in
from .shortage import is_full

# Limit of the archive before compression: for the folder, and for what a bad archive can fill.
LIMIT_BYTES = 64 << 20
LIMIT_DEPTH = 100
_CHUNK = 1 << 20


class BadArchive(Exception):
    """The archive is damaged, too large, or contains what no worker packs."""


class TooLarge(Exception):
    """The folder is larger than a conversation may be."""


def pack(folder: Path, archive: Path) -> None:
    """Links and special files are left out: only files that an agent wrote are its conversation."""
    plain = archive.with_suffix(".tar")
    # A file that has two names is stored twice: only files and folders are unpacked.
    with tarfile.open(plain, "w", format=tarfile.PAX_FORMAT, dereference=True) as tar:
        for path, folders, files, number in os.fwalk(folder):
            steps = Path(path).relative_to(folder).parts
            if len(steps) > LIMIT_DEPTH:
                raise TooLarge(f"its folders are more than {LIMIT_DEPTH} deep")
            folders.sort()
            if steps:
                tar.addfile(_folder("/".join(steps), number))
            for name in sorted(files):
                _add(tar, "/".join((*steps, name)), opened_in(number, name))
    _bound(plain.stat().st_size)
    with plain.open("rb") as source, gzip.open(archive, "wb", compresslevel=6) as target:
        shutil.copyfileobj(source, target, _CHUNK)
    plain.unlink()


def _folder(name: str, number: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    found = os.fstat(number)
    member.type, member.mode, member.mtime = tarfile.DIRTYPE, stat.S_IMODE(found.st_mode), found.st_mtime
    return member


def _add(tar: tarfile.TarFile, name: str, number: int | None) -> None:
    if number is None:
        return
    with os.fdopen(number, "rb") as file:
        member = _anonymous(tar.gettarinfo(arcname=name, fileobj=file))
        # Before it is written, and including the archive's own headers.
        _bound(tar.offset + member.size)
        tar.addfile(member, file)


def _bound(size: int) -> None:
    if size > LIMIT_BYTES:
        raise TooLarge(f"it is larger than {LIMIT_BYTES >> 20} MiB")


def unpack(archive: Path, folder: Path) -> None:
    plain = archive.with_suffix(".tar")
    try:
        _decompress(archive, plain)
        with tarfile.open(plain, "r:") as tar:
            for member in tar:
                _extract(tar, member, folder)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, OSError, ValueError) as error:
        if is_full(error):
            # It is as good as it was.
            raise
        raise BadArchive(f"it cannot be unpacked: {error}") from error
    finally:
        plain.unlink(missing_ok=True)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _decompress(archive: Path, plain: Path) -> None:
    """Limited: a few bytes may decompress to a full disk."""
    written = 0
    with gzip.open(archive, "rb") as source, plain.open("wb") as target:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > LIMIT_BYTES:
                raise BadArchive(f"it is larger than {LIMIT_BYTES >> 20} MiB when unpacked")
            target.write(chunk)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        raise BadArchive(f"{member.name} leads out of it")
    path = folder / name
    if member.isdir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise BadArchive(f"{member.name} is neither a file nor a folder")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # An entry of the same archive may be at this path, and must not be written through.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 | (member.mode & 0o100))
    with os.fdopen(descriptor, "wb") as target:
        shutil.copyfileobj(content, target, _CHUNK)
