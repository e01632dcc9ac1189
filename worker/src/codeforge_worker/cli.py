"""Takes tasks from a pool of CodeForge and runs its backend for each."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

from . import __version__, log_format, secret_variables
from .backends import BUILT_IN, Backend, backend_for
from .confinement import own_environment
from .confinement.of_worker import isolated
from .confinement.probe import kernel_of_this_machine
from .confinement.supervised import adopt_orphans
from .outlet import STDERR, STDOUT
from .sdk import dev
from .sdk.finding import find
from .sdk.function_backend import FunctionBackend
from .sdk.said import of_no_run
from .service import Service, Stuck
from .settings import Settings, StartupError

USAGE = 64
_TERMINATION_LOG = Path("/dev/termination-log")


def main() -> None:
    own, separator, argv = _split(sys.argv[1:])
    parser = argparse.ArgumentParser(prog="codeforge-worker", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="take tasks until told to stop; after --: the program of backend command")
    validate = commands.add_parser("validate", help="check the environment, name the backends there are, and exit")
    for taking in (run, validate):
        taking.add_argument("--module", default="", help="module or .py file with a backend; else CODEFORGE_MODULE")
    developing = commands.add_parser("dev", help="run one task of a function here, without NATS")
    dev.add_arguments(developing)
    commands.add_parser("version", help="print the version")
    parsed = parser.parse_args(own)
    command: str = parsed.command
    if separator and command in ("version", "dev"):
        parser.error(f"{command} takes no program")
    if command == "version":
        print(__version__)
        return
    try:
        log_format.begin(os.environ, STDERR)
    except StartupError as error:
        _exit(str(error))
    for handler in logging.getLogger().handlers:
        handler.addFilter(of_no_run)
    if command == "dev":
        try:
            sys.exit(dev.reload(parsed, own) if parsed.reload else dev.run(parsed))
        except StartupError as error:
            _exit(str(error))
    try:
        given = {"CODEFORGE_MODULE": parsed.module} if parsed.module else {}
        own_environment.take()
        secret_variables.take(os.environ)
        settings = Settings.from_environment({**os.environ, **given}, tuple(argv))
        backend = backend_for(settings)
        in_worker = isinstance(backend, FunctionBackend)
        isolation = isolated(settings, kernel_of_this_machine(), in_worker=in_worker)
        settings = replace(settings, reach=isolation.reach)
    except StartupError as error:
        _exit(str(error))
        return
    if command == "validate":
        print(f"backend {settings.backend} can run tasks of {settings.stream}")
        places = {name: "built in" for name in BUILT_IN} | {one.name: one.where for one in find(settings, BUILT_IN)}
        print("\n".join(f"found {name} ({places[name]})" for name in sorted(places)))
        return
    try:
        own_environment.hide()
        if not in_worker:
            adopt_orphans()
        asyncio.run(_serve(settings, backend, isolation.lacks))
    except StartupError as error:
        _exit(str(error))


async def _serve(settings: Settings, backend: Backend, lacks: tuple[str, ...]) -> None:
    if not isinstance(backend, FunctionBackend):
        await Service(settings, backend, lacks, contextlib.nullcontext()).run()
        return
    service = Service(settings, backend, lacks, backend.lifetime())
    code = 0
    try:
        await service.run()
    except Stuck as error:
        print(f"codeforge-worker: {error}", file=sys.stderr)
        code = 1
    # Python would wait for each thread that a function has left running.
    logging.shutdown()
    for outlet in (STDOUT, STDERR):
        outlet.finish()
    os._exit(code)


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


if __name__ == "__main__":
    main()
