"""What an agent leaves in place of its records keeps nobody waiting, and is not taken for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import StartWorker
from harness.operator import Operator

from codeforge_worker.backends.records import RECORD_BYTES, NoRecord, read

RECORD = "trajectory.json"
# Of mini-swe-agent: its record is named by the fourth argument.
FAKES = {
    "pipe": ('mkfifo "$4"', f"its record {RECORD} is a link, or no file"),
    "device": ('ln -s /dev/zero "$4"', f"its record {RECORD} is a link, or no file"),
    "folder": ('mkdir "$4"', f"its record {RECORD} is a link, or no file"),
    "large": (f'truncate -s {RECORD_BYTES + 1} "$4"', f"its record {RECORD} is larger than 64 MiB"),
    "deep": ("""head -c 200000 /dev/zero | tr '\\0' '[' > "$4\"""", "its record is not what it writes: RecursionError"),
    "other": ("""echo '{"messages": 3}' > "$4\"""", "its record is not what it writes: TypeError"),
}


@pytest.mark.parametrize("left", FAKES)
async def test_a_run_whose_record_cannot_be_read_has_failed_and_says_so(
    operator: Operator, start_worker: StartWorker, tmp_path: Path, left: str
) -> None:
    leave, said = FAKES[left]
    fake = tmp_path / "mini"
    fake.write_text(f"#!/bin/sh\n{leave}\n")
    fake.chmod(0o755)
    await start_worker(
        CODEFORGE_BACKEND="mini-swe-agent", CODEFORGE_MINI_SWE_AGENT=str(fake), CODEFORGE_AGENT_READS=str(tmp_path)
    )
    last = (await operator.until(await operator.submit(model="coder")))[-1].body
    assert last["failure"]["type"] == "AgentFailed" and said in last["failure"]["message"], last["failure"]


def test_a_record_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "record").write_bytes(b"said \xff")
    assert read(tmp_path, "record") == "said \ufffd"
    assert read(tmp_path, "none") == ""


def test_another_runs_is_not_read(tmp_path: Path) -> None:
    scratch, other = tmp_path / "scratch", tmp_path / "other"
    other.mkdir()
    (other / "record").write_text("another's")
    scratch.symlink_to(other)
    with pytest.raises(NoRecord):
        read(scratch, "record")
