"""Variables that come as files are variables as those of the container are, with Kubernetes' precedence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from harness.nats_server import NatsServer
from harness.operator import Operator
from harness.worker_process import WorkerProcess

from codeforge_worker.secret_variables import take
from codeforge_worker.settings import StartupError


def volume(folder: Path, **files: str) -> str:
    """As kubelet writes one: links to links to files."""
    kept = folder / "..2026_11_24"
    kept.mkdir(parents=True)
    (folder / "..data").symlink_to(kept.name)
    for name, value in files.items():
        (kept / name).write_text(value)
        (folder / name).symlink_to(f"..data/{name}")
    return str(folder)


def source(path: str, prefix: str = "", origin: str = "Secret llm") -> dict[str, str]:
    return {"path": path, "prefix": prefix, "origin": origin}


def variable(path: str, name: str, origin: str = "key a of Secret llm") -> dict[str, str]:
    return {"path": f"{path}/{name}", "name": name, "origin": origin}


def taken(told: Mapping[str, object], **environment: str) -> dict[str, str]:
    filled = environment | {"CODEFORGE_SECRET_VARIABLES": json.dumps(told)}
    take(filled)
    return filled


def test_an_environment_without_any_stays_as_it_is() -> None:
    environment = {"A": "1"}
    take(environment)
    assert environment == {"A": "1"}


def test_each_file_is_a_variable_to_the_byte(tmp_path: Path) -> None:
    own = volume(tmp_path / "env", KEY="sk-1\n", OTHER="ö")
    assert taken({"variables": [variable(own, "KEY"), variable(own, "OTHER")]}, A="1") == {
        "A": "1",
        "KEY": "sk-1\n",
        "OTHER": "ö",
    }


def test_a_source_has_its_prefix(tmp_path: Path) -> None:
    assert taken({"sources": [source(volume(tmp_path / "0", KEY="sk-1"), "LLM_")]}) == {"LLM_KEY": "sk-1"}


def test_the_later_source_wins_the_given_variable_wins_over_both_and_one_by_name_over_all(tmp_path: Path) -> None:
    sources = [source(volume(tmp_path / str(at), A=f"a{at}", B=f"b{at}", C=f"c{at}", PATH="/")) for at in range(2)]
    own = volume(tmp_path / "env", C="own")
    told = {"sources": sources, "variables": [variable(own, "C")], "given": ["B"]}
    assert taken(told, B="given", PATH="of the image") == {"A": "a1", "B": "given", "C": "own", "PATH": "/"}


def test_what_is_no_name_of_a_variable_is_left_out(tmp_path: Path) -> None:
    found = volume(tmp_path / "0", **{"tls.crt": "a", "1ST": "b", "b-c": "d"})
    assert taken({"sources": [source(found)]}) == {"tls.crt": "a", "b-c": "d"}


def test_what_is_optional_may_be_missing(tmp_path: Path) -> None:
    told = {
        "sources": [source(volume(tmp_path / "0"), origin=""), source(str(tmp_path / "none"), origin="")],
        "variables": [variable(str(tmp_path), "KEY", origin="")],
    }
    assert taken(told) == {}


@pytest.mark.parametrize("kind", ["sources", "variables"])
def test_what_is_not_optional_is_named(tmp_path: Path, kind: str) -> None:
    entry = source(str(tmp_path / "0")) if kind == "sources" else variable(str(tmp_path), "KEY")
    with pytest.raises(StartupError, match=f"there is no {entry['origin']}: create it, or set optional"):
        taken({kind: [entry]})


def test_bytes_that_no_variable_holds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="variable KEY has a zero byte"):
        taken({"variables": [variable(volume(tmp_path / "env", KEY="a\0b"), "KEY")]})


def test_what_the_operator_does_not_write_is_refused() -> None:
    with pytest.raises(StartupError, match="CODEFORGE_SECRET_VARIABLES is not what the operator writes"):
        take({"CODEFORGE_SECRET_VARIABLES": "[]"})


async def test_agents_have_them_as_variables_and_the_models_key_passes_the_meter(
    tmp_path: Path, server: NatsServer, operator: Operator
) -> None:
    own = volume(tmp_path / "env", OPENAI_API_KEY="sk-secret", TEAM_TOKEN="token")
    told = {"variables": [variable(own, "OPENAI_API_KEY"), variable(own, "TEAM_TOKEN")]}
    settings = {"CODEFORGE_SECRET_VARIABLES": json.dumps(told), "OPENAI_API_BASE": "http://127.0.0.1:9/v1"}
    worker = WorkerProcess(tmp_path, server.url, "worker-1", ["env"], settings)
    await worker.start()
    await worker.ready()
    output = (await operator.until(await operator.submit()))[-1].body["output"]
    worker.terminate()
    await worker.end()
    assert "TEAM_TOKEN=token" in output and "OPENAI_API_KEY=cf-" in output
    assert "sk-secret" not in output and "CODEFORGE_SECRET_VARIABLES" not in output
