"""./run load: a few connectors at once against a real server process, and what counts as kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import load, load_report
from bench.visits import Call

ROOT = Path(__file__).resolve().parents[1]
COMPANIES = 3


def test_every_connector_makes_its_whole_visit_and_every_file_is_made() -> None:
    command = [
        sys.executable,
        "-m",
        "bench.load",
        "--companies",
        str(COMPANIES),
        "--over",
        "0.1",
        "--whole-night",
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.stderr == ""
    result = json.loads(done.stdout)
    calls = result["calls"]
    counts = {name: each["count"] for name, each in calls.items()}
    assert counts.pop("all") == sum(counts.values())
    once = ("serverVersion", "clientVersion", "authenticate", "closeConnection")
    assert {name: counts.pop(name) for name in once} == dict.fromkeys(once, COMPANIES)
    assert set(counts) == {"sendRequestXML", "receiveResponseXML"}
    # Who is open first, then at least one page for each file.
    assert counts["sendRequestXML"] == counts["receiveResponseXML"] >= COMPANIES * (1 + len(load.OUT))
    assert sum(each["errors"] for each in calls.values()) == 0
    assert result["visits"] == {"count": COMPANIES, "errors": 0}
    assert (result["runs_not_done"], result["files"]) == (0, COMPANIES * len(load.OUT))
    # How long it takes says nothing on a machine that does other things, but the exit code goes by it.
    assert done.returncode == (0 if calls["all"]["p99"] < load_report.SECONDS else 1)


def test_a_share_is_a_time_that_was_measured() -> None:
    calls = [Call("authenticate", seconds / 100, failed=seconds == 7) for seconds in range(100, 0, -1)]
    assert load_report.spread(calls) == load_report.Spread(count=100, errors=1, p50=0.5, p95=0.95, p99=0.99, max=1.0)
    assert load_report.spread(calls[:1]) == load_report.Spread(count=1, errors=0, p50=1.0, p95=1.0, p99=1.0, max=1.0)


def result(*, p99: float = 1.9, errors: int = 0, visits: int = 0, runs: int = 0) -> dict[str, Any]:
    return {
        "calls": {"all": {"p99": p99, "errors": errors}},
        "visits": {"errors": visits},
        "runs_not_done": runs,
    }


def test_the_promise_holds_without_errors_and_in_time() -> None:
    assert load_report.holds(result())


@pytest.mark.parametrize("broken", [{"p99": 2.0}, {"errors": 1}, {"visits": 1}, {"runs": 1}])
def test_one_error_of_any_kind_breaks_the_promise(broken: dict[str, Any]) -> None:
    assert not load_report.holds(result(**broken))
