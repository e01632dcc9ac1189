"""The worker's settings, which the operator passes through its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from .confinement.reach import Granted, Isolation, Reach
from .egress.policy import Egress, Unreadable, parse
from .metering.prices import PricesUnreadable
from .metering.providers import other_provider
from .metering.upstream import Upstream
from .nats_credentials import Unreadable as NoCredential
from .nats_credentials import read
from .nats_login import read as read_login
from .nats_servers import BadServer, servers

# By which traces are exported: for the worker, not for its agents.
COLLECTOR_KEYS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")

_JAVA = "JAVA_TOOL_OPTIONS"
_PORTS = 1 << 16


class StartupError(Exception):
    """The worker cannot start; the sentence says what to set and where."""


class GitCredential(msgspec.Struct, frozen=True):
    """A mounted Secret and the URL prefix that it is for."""

    url: str
    path: str


@dataclass(frozen=True)
class Settings:
    """Seconds are wall-clock seconds; `concurrency` is the number of tasks run at once."""

    nats_servers: tuple[str, ...]
    nats_user: str
    nats_password: str
    namespace: str
    pool: str
    backend: str
    stream: str
    consumer: str
    concurrency: int
    pod_name: str
    ack_wait_seconds: float
    grace_seconds: float
    workspace: Path
    http_port: int
    git_credentials: tuple[GitCredential, ...] = ()
    # The pool's workerConfig when the task was started.
    pool_config: Mapping[str, str] = field(default_factory=dict[str, str])
    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    # A dotted name or a file; empty: only what is installed.
    module: str = ""
    # Where repositories are kept between runs, if the folder is there.
    cache: Path = Path("/cache")
    # None: the agents reach their model in a way that cannot be metered.
    model: Upstream | None = None
    # The variable by which agents may reach an unmetered model; empty for none.
    also_reached: str = ""
    isolation: Isolation = Isolation.OFF
    granted: Granted = field(default_factory=Granted)
    # What a run may touch; None: everything that the worker may.
    reach: Reach | None = None
    # What agents may reach by name; None: every server.
    egress: Egress | None = field(default_factory=Egress)
    # What the worker signs in to NATS with; None: by user and password.
    nats_credentials: Path | None = None
    # The folder of a user and a password; None: they are variables.
    nats_login: Path | None = None
    # Interval between two reads of the credential.
    nats_credentials_seconds: float = 60.0
    # The worker runs one task and takes no other.
    worker_per_task: bool = False
    # On SIGTERM unfinished runs are released at once, whatever the pod's grace period.
    gives_back: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], argv: tuple[str, ...]) -> Settings:
        def required(name: str) -> str:
            value = environment.get(name, "")
            if not value:
                raise StartupError(f"{name} is not set: the operator sets it; check spec.template of the pool")
            return value

        def number(name: str, default: str) -> float:
            text = environment.get(name, default)
            try:
                return float(text)
            except ValueError as error:
                raise StartupError(f"{name} is not a number: {text!r}") from error

        try:
            credentials = msgspec.json.decode(
                environment.get("CODEFORGE_GIT_CREDENTIALS") or "[]", type=tuple[GitCredential, ...]
            )
        except msgspec.MsgspecError as error:
            raise StartupError(f"CODEFORGE_GIT_CREDENTIALS is not what the operator writes: {error}") from error
        concurrency = max(1, int(number("CODEFORGE_CONCURRENCY", "1")))
        try:
            model = Upstream.of(environment)
        except PricesUnreadable as error:
            raise StartupError(str(error)) from error
        return cls(
            nats_servers=_nats_servers(required("NATS_URL")),
            nats_user=environment.get("NATS_USER", ""),
            nats_password=environment.get("NATS_PASSWORD", ""),
            namespace=required("CODEFORGE_NAMESPACE"),
            pool=required("CODEFORGE_POOL"),
            backend=required("CODEFORGE_BACKEND"),
            stream=required("CODEFORGE_STREAM"),
            consumer=environment.get("CODEFORGE_CONSUMER", "workers"),
            concurrency=concurrency,
            pod_name=required("CODEFORGE_POD_NAME"),
            ack_wait_seconds=number("CODEFORGE_ACK_WAIT_SECONDS", "60"),
            grace_seconds=number("CODEFORGE_GRACE_SECONDS", "30"),
            workspace=Path(environment.get("CODEFORGE_WORKSPACE", "/workspace")),
            http_port=int(number("CODEFORGE_HTTP_PORT", "8080")),
            git_credentials=credentials,
            argv=argv,
            environment=dict(environment),
            module=environment.get("CODEFORGE_MODULE", ""),
            cache=Path(environment.get("CODEFORGE_REPOSITORY_CACHE", "/cache")),
            model=model,
            also_reached=other_provider(environment, model),
            isolation=_isolation(environment),
            granted=Granted(
                _paths(environment, "CODEFORGE_AGENT_READS"),
                _paths(environment, "CODEFORGE_AGENT_WRITES"),
                _ports(environment, "CODEFORGE_AGENT_CONNECTS"),
                _paths(environment, "CODEFORGE_TEMPORARY"),
            ),
            egress=_egress(environment),
            nats_credentials=_nats_credentials(environment),
            nats_login=_nats_login(environment),
            nats_credentials_seconds=number("CODEFORGE_NATS_CREDENTIALS_SECONDS", "60"),
            worker_per_task=_worker_per_task(environment, concurrency),
            gives_back=_gives_back(environment),
        )

    def child_environment(self, home: Path) -> dict[str, str]:
        """An agent's environment: the pool's own, without what only the worker may know."""
        hidden = ("NATS_", "CODEFORGE_NATS_", "CODEFORGE_GIT_CREDENTIALS", *COLLECTOR_KEYS)
        shown = self.model.without_key(self.environment) if self.model else self.environment
        kept = {name: value for name, value in shown.items() if not name.startswith(hidden)}
        return {**kept, **self._temporary(kept, home), "HOME": str(home), "TMPDIR": str(home)}

    def _temporary(self, kept: Mapping[str, str], folder: Path) -> dict[str, str]:
        """For programs that do not ask TMPDIR, where /tmp is not theirs."""
        if self.reach is None or not self.reach.needs_other_temporary:
            return {}
        java = f"{kept.get(_JAVA, '')} -Djava.io.tmpdir={folder}".strip()
        return {_JAVA: java, "TMUX_TMPDIR": str(folder)}


def _isolation(environment: Mapping[str, str]) -> Isolation:
    text = environment.get("CODEFORGE_ISOLATION") or Isolation.PREFERRED.value
    try:
        return Isolation(text)
    except ValueError as error:
        known = ", ".join(one.value for one in Isolation)
        raise StartupError(f"CODEFORGE_ISOLATION is {text!r}, and none of {known}") from error


def _worker_per_task(environment: Mapping[str, str], concurrency: int) -> bool:
    text = environment.get("CODEFORGE_WORKER_PER_TASK") or "false"
    if text not in ("true", "false"):
        raise StartupError(f"CODEFORGE_WORKER_PER_TASK is {text!r}: it is true or false")
    if text == "true" and concurrency != 1:
        raise StartupError(
            f"CODEFORGE_WORKER_PER_TASK needs CODEFORGE_CONCURRENCY 1, not {concurrency}: both are the operator's, "
            "take the latter out of spec.template of the pool"
        )
    return text == "true"


def _gives_back(environment: Mapping[str, str]) -> bool:
    text = environment.get("CODEFORGE_ON_EVICTION") or "Finish"
    if text not in ("Finish", "GiveBack"):
        raise StartupError(f"CODEFORGE_ON_EVICTION is {text!r}: it is Finish or GiveBack")
    return text == "GiveBack"


def _paths(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    paths = tuple(filter(None, environment.get(name, "").split(":")))
    for path in paths:
        if not Path(path).is_absolute():
            raise StartupError(f"{name} names {path!r}: give absolute paths with colons between them")
    return paths


def _ports(environment: Mapping[str, str], name: str) -> tuple[tuple[int, int], ...]:
    """Numbers and spans of them, such as `443,32768-60999`."""
    found: list[tuple[int, int]] = []
    for span in filter(None, environment.get(name, "").split(",")):
        first, _, last = span.strip().partition("-")
        ports = [int(port) if port.isascii() and port.isdigit() else 0 for port in (first, last or first)]
        if not 0 < ports[0] <= ports[1] < _PORTS:
            raise StartupError(f"{name} names {span!r}: give ports from 1 to 65535, such as 443,32768-60999")
        found.append((ports[0], ports[1]))
    return tuple(found)


def _nats_servers(text: str) -> tuple[str, ...]:
    try:
        return servers(text)
    except BadServer as error:
        raise StartupError(
            f"NATS_URL: {error}. Name servers such as nats://a:4222,nats://b:4222 in url of the operator's NATS Secret"
        ) from error


def _nats_credentials(environment: Mapping[str, str]) -> Path | None:
    text = environment.get("CODEFORGE_NATS_CREDENTIALS", "")
    if not text:
        return None
    try:
        read(Path(text))
    except NoCredential as error:
        raise StartupError(
            f"CODEFORGE_NATS_CREDENTIALS: {error}. The operator mounts the pool's Secret there; check volumes and "
            "volumeMounts of spec.template of the pool"
        ) from error
    return Path(text)


def _nats_login(environment: Mapping[str, str]) -> Path | None:
    text = environment.get("CODEFORGE_NATS_LOGIN", "")
    if not text:
        return None
    try:
        read_login(Path(text))
    except OSError as error:
        raise StartupError(
            f"CODEFORGE_NATS_LOGIN: {error.filename or text} cannot be read: {error.strerror}. The operator mounts the "
            "pool's Secret there; check volumes and volumeMounts of spec.template of the pool"
        ) from error
    return Path(text)


def _egress(environment: Mapping[str, str]) -> Egress | None:
    policy = environment.get("CODEFORGE_EGRESS") or "Restricted"
    if policy == "Open":
        return None
    if policy != "Restricted":
        raise StartupError(f"CODEFORGE_EGRESS is {policy!r}: it is Restricted or Open")
    listed = filter(None, environment.get("CODEFORGE_EGRESS_ALLOW", "").split(","))
    try:
        return Egress(tuple(parse(entry) for entry in listed))
    except Unreadable as error:
        raise StartupError(f"spec.isolation.egress.allow of the pool: {error}") from error
