"""Prints what the tests of a run did: each class with its time, the ten slowest tests, and what failed.

    python3 hack/test/report.py
    python3 hack/test/report.py --flaky FOLDER    counts over the reports of many rounds in the folder instead

It reads the JUnit reports under target/. Exit code 1 when a test failed or was skipped.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

TARGET = Path(__file__).resolve().parents[2] / "target"
REPORTS = {
    "unit": "surefire-reports/TEST-*.xml",
    "integration": "failsafe-reports/TEST-*.xml",
    "worker": "test/worker*.xml",
}
SLOWEST = 10
LINES_OF_A_FAILURE = 25
LETTERS_OF_A_REASON = 400


@dataclass(frozen=True)
class Test:
    part: str
    group: str
    name: str
    seconds: float
    failure: str
    reason: str
    skipped: bool


def tests() -> Iterator[Test]:
    for part, pattern in REPORTS.items():
        for report in sorted(TARGET.glob(pattern)):
            yield from tests_of(report, part)


def tests_of(report: Path, part: str) -> Iterator[Test]:
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 (a report of our own)
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        group = case.get("classname", "")
        yield Test(
            part="e2e" if group.endswith("E2E") else part,
            group=group,
            name=case.get("name", ""),
            seconds=float(case.get("time", "0").replace(",", "")),
            failure="" if bad is None else (bad.text or bad.get("message") or "failed"),
            reason="" if bad is None else " ".join((bad.get("message") or bad.text or "failed").split()),
            skipped=case.find("skipped") is not None,
        )


def flaky(folder: Path) -> int:
    runs: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for report in folder.glob("*.xml"):
        for test in tests_of(report, "flaky"):
            runs[f"{test.group}.{test.name}"] += 1
            failures[f"{test.group}.{test.name}"] += bool(test.failure)
    for name, times in failures.most_common():
        if times:
            print(f"{times:3d} of {runs[name]:3d} failed  {name}")
    print(f"{runs.total()} runs of {len(runs)} tests, {failures.total()} failed")
    return 1 if failures.total() or not runs else 0


def run() -> int:
    all_tests = list(tests())
    classes: dict[tuple[str, str], list[Test]] = defaultdict(list)
    for test in all_tests:
        classes[test.part, test.group].append(test)

    print("\n=== test classes: seconds, tests")
    for (part, group), members in sorted(classes.items(), key=lambda item: (item[0][0], -seconds(item[1]))):
        print(f"{part:<12} {seconds(members):7.1f} {len(members):4d}  {group}")

    print(f"\n=== the {SLOWEST} slowest tests")
    for test in sorted(all_tests, key=lambda test: -test.seconds)[:SLOWEST]:
        print(f"{test.seconds:7.1f}  {test.group}.{test.name}")

    failed = [test for test in all_tests if test.failure]
    skipped = [test for test in all_tests if test.skipped]
    for test in failed:
        print(f"\n=== FAILED {test.group}.{test.name}  (logs: {logs(test)})")
        print("\n".join(excerpt(test)))
    for test in skipped:
        print(f"\n=== SKIPPED {test.group}.{test.name}: a test that is not run proves nothing")

    print("\n=== tests by part")
    for part in dict.fromkeys(test.part for test in all_tests):
        members = [test for test in all_tests if test.part == part]
        print(f"{part:<12} {len(members):4d} tests, {sum(bool(test.failure) for test in members)} failed")

    if failed or skipped:
        print("\n=== failed")
    for test in failed:
        print(f"{test.group}.{test.name}: {test.reason[:LETTERS_OF_A_REASON]}")
    for test in skipped:
        print(f"{test.group}.{test.name}: skipped")
    return 1 if failed or skipped else 0


def excerpt(test: Test) -> list[str]:
    """Java says first what was wrong, pytest last."""
    lines = test.failure.splitlines()
    return lines[-LINES_OF_A_FAILURE:] if test.part == "worker" else lines[:LINES_OF_A_FAILURE]


def seconds(members: list[Test]) -> float:
    return sum(test.seconds for test in members)


def logs(test: Test) -> str:
    return (
        "target/test/worker.log"
        if test.part == "worker"
        else f"target/failsafe-reports/{test.group}-output.txt, target/tests"
    )


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            return run()
        case ["--flaky", folder]:
            return flaky(Path(folder))
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
