"""codeforge-worker run | validate | version."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path

from . import __version__
from .backends import backend_for
from .service import ConnectionLost, Service
from .settings import Settings, StartupError

USAGE = 64
_TERMINATION_LOG = Path("/dev/termination-log")


def main() -> None:
    own, separator, argv = _split(sys.argv[1:])
    parser = argparse.ArgumentParser(prog="codeforge-worker", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="take tasks until told to stop; after --: the program of backend command")
    commands.add_parser("validate", help="check the environment and exit")
    commands.add_parser("version", help="print the version")
    command: str = parser.parse_args(own).command
    if separator and command == "version":
        parser.error("version takes no program")
    if command == "version":
        print(__version__)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        settings = Settings.from_environment(os.environ, tuple(argv))
        backend = backend_for(settings)
    except StartupError as error:
        _exit(str(error))
        return
    if command == "validate":
        print(f"backend {settings.backend} can run tasks of {settings.stream}")
        return
    try:
        asyncio.run(Service(settings, backend).run())
    except StartupError as error:
        _exit(str(error))
    except ConnectionLost as error:
        print(f"codeforge-worker: {error}", file=sys.stderr)
        sys.exit(1)


def _split(arguments: list[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in arguments:
        return arguments, False, []
    at = arguments.index("--")
    return arguments[:at], True, arguments[at + 1 :]


def _exit(sentence: str) -> None:
    """Kubernetes shows the termination log in the pod's status, and the operator in the pool's condition."""
    print(f"codeforge-worker: {sentence}", file=sys.stderr)
    with contextlib.suppress(OSError):
        if _TERMINATION_LOG.exists():
            _TERMINATION_LOG.write_text(sentence)
    sys.exit(USAGE)
