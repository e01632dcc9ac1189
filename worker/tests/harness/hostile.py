"""An agent that tries to reach what is not its run's: `hostile.py [LABEL:]ATTEMPT=ARGUMENT…` says what became of each.

It is run by the system's Python, by itself. One line of JSON: by the label or the attempt, `done` or why not.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys
from pathlib import Path
from urllib.parse import urlsplit

_PATIENCE = 5.0
_MPTCP = 262
_MSG_FASTOPEN = 1 << 29
_SYSCALLS = {
    "x86_64": {"process_vm_readv": 310, "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438},
    "aarch64": {"process_vm_readv": 270, "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438},
}[os.uname().machine]
_LIBC = ctypes.CDLL(None, use_errno=True)
# What the kernel answers to a call that it would have carried out, had its arguments led anywhere.
_BAD_ADDRESS = 14


def parent(process: int | str) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()[1])


def call(name: str, *arguments: object) -> int:
    number = ctypes.c_long(_SYSCALLS[name])
    result = int(_LIBC.syscall(number, *arguments))
    error = ctypes.get_errno()
    if result < 0 and error != _BAD_ADDRESS:
        raise OSError(error, os.strerror(error))
    return result


SUPERVISOR = os.getppid()
NURSERY = parent(SUPERVISOR)
WORKER = parent(NURSERY)


def environ(process: str) -> None:
    if not Path(f"/proc/{process or WORKER}/environ").read_bytes():
        raise OSError(None, "it is empty")


def supervisor_environ(_: str) -> None:
    environ(str(SUPERVISOR))


def nursery_environ(_: str) -> None:
    environ(str(NURSERY))


def memory(_: str) -> None:
    start = int(Path(f"/proc/{WORKER}/maps").read_text().partition("-")[0], 16)
    with Path(f"/proc/{WORKER}/mem").open("rb") as file:
        file.seek(start)
        file.read(1)


def memory_by_call(_: str) -> None:
    nowhere = struct.pack("=QQ", 1, 1)
    call("process_vm_readv", ctypes.c_int(WORKER), nowhere, ctypes.c_ulong(1), nowhere, ctypes.c_ulong(1), None)


def descriptor(_: str) -> None:
    call("pidfd_getfd", ctypes.c_int(os.pidfd_open(WORKER)), ctypes.c_int(0), ctypes.c_uint(0))


def end(process: str) -> None:
    os.kill(int(process or WORKER), signal.SIGCONT)


def end_supervisor(_: str) -> None:
    os.kill(SUPERVISOR, signal.SIGCONT)


def end_nursery(_: str) -> None:
    os.kill(NURSERY, signal.SIGCONT)


def limit(_: str) -> None:
    resource.prlimit(WORKER, resource.RLIMIT_CPU)


def server(address: str) -> tuple[str, int]:
    """`PORT` of this machine, or `HOST:PORT`."""
    host, _, port = address.rpartition(":")
    return host or "127.0.0.1", int(port)


def tcp(address: str) -> None:
    socket.create_connection(server(address), timeout=_PATIENCE).close()


def mptcp(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, _MPTCP) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(server(address))


def fast_open(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.sendto(b"PING\r\n", _MSG_FASTOPEN, server(address))


def udp(address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.sendto(b"?", server(address))


def by_proxy(name: str) -> None:
    """Asks the run's proxy for `NAME:PORT`; without one, the server itself."""
    proxy = urlsplit(os.environ.get("HTTPS_PROXY", ""))
    if not proxy.hostname or not proxy.port:
        return tcp(name)
    with socket.create_connection((proxy.hostname, proxy.port), timeout=_PATIENCE) as connection:
        connection.sendall(f"CONNECT {name} HTTP/1.1\r\n\r\n".encode())
        answer = connection.recv(4096).decode().splitlines()
    if not answer[0].startswith("HTTP/1.1 2"):
        raise OSError(None, answer[0])


def packets(_: str) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()


def frames(_: str) -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()


def ring(_: str) -> None:
    call("io_uring_setup", ctypes.c_uint(1), None)


def abstract_socket(name: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"\0{name}")


def read(path: str) -> None:
    assert Path(path).read_text()


def names(path: str) -> None:
    assert list(Path(path).iterdir())


def write(path: str) -> None:
    Path(path).write_text("mine")


def truncate(path: str) -> None:
    os.truncate(path, 0)


def remove(path: str) -> None:
    Path(path).unlink()


def by_link(path: str) -> None:
    link = Path("link")
    link.symlink_to(path)
    assert link.read_text()


def device(path: str) -> None:
    os.mknod("device", 0o600 | 0o20000, Path(path).stat().st_rdev)


def main() -> None:
    told: dict[str, str] = {}
    for attempt in sys.argv[1:]:
        title, _, argument = attempt.partition("=")
        label, _, name = title.rpartition(":")
        try:
            globals()[name](argument)
            told[label or name] = "done"
        except OSError as error:
            told[label or name] = f"refused: {error.strerror or error}"
    print(json.dumps(told))


if __name__ == "__main__":
    main()
