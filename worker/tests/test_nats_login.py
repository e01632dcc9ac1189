"""The worker's user and password change under a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conftest import StartWorker, count, until, written
from harness.operator import HOLDER, Operator, kinds
from harness.proxy import TcpProxy
from test_startup import run_worker


def _mount(folder: Path, user: str, password: str) -> None:
    """As the kubelet does: the files are links into a folder that another takes the place of at once."""
    state = folder / f"..{len(list(folder.iterdir()))}" if folder.exists() else folder / "..0"
    state.mkdir(parents=True)
    (state / "username").write_text(user)
    (state / "password").write_text(password)
    (folder / "..next").symlink_to(state.name)
    (folder / "..next").replace(folder / "..data")
    for name in ("username", "password"):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")


async def test_a_connect_takes_what_the_files_have_then_and_the_run_goes_on(
    operator: Operator, start_worker: StartWorker, proxy: TcpProxy, marker: Callable[[str], Path], tmp_path: Path
) -> None:
    runs, go, folder = marker("runs"), marker("go"), tmp_path / "login"
    _mount(folder, "worker", "worker-pw")
    login = {"CODEFORGE_NATS_LOGIN": str(folder), "NATS_USER": "worker", "NATS_PASSWORD": "of another day"}
    worker = await start_worker("sh", "-c", f"echo >> {runs}; {until(go)}", NATS_URL=proxy.url, **login)
    uid = await operator.submit()
    await written(runs)
    # Changed here before it is there.
    _mount(folder, "worker", "too early")
    await proxy.cut()
    await proxy.resume()
    await worker.logged("NATS does not take the worker's user and password: correct them in Secret pool-workers")
    assert (await worker.get("/readyz"))[1].startswith("ready\nNATS does not take")
    _mount(folder, "worker", "worker-pw")
    await worker.logged("NATS is back")
    assert (await operator.ask(HOLDER + uid))["worker"] == "worker-1"
    go.touch()
    assert kinds(await operator.until(uid)) == ["running", "completed"] and count(runs) == 1
    await operator.queue_is_empty()


def test_a_folder_without_them_keeps_it_from_starting(tmp_path: Path) -> None:
    done = run_worker("run", "--", "cat", CODEFORGE_NATS_LOGIN=str(tmp_path))
    assert done.returncode == 64 and f"CODEFORGE_NATS_LOGIN: {tmp_path}/username cannot be read" in done.stderr
