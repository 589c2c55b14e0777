"""What came of many visits at once: how long each kind of call took, and whether the promise was kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.visits import Call, Visit

#: what 99 of 100 calls have to be answered in
SECONDS = 2.0


@dataclass(frozen=True)
class Spread:
    """How long the calls of one kind took, in seconds."""

    count: int
    errors: int
    p50: float
    p95: float
    p99: float
    max: float


def spread(calls: Sequence[Call]) -> Spread:
    """Each share by the nearest rank: a time that was measured."""
    times = sorted(call.seconds for call in calls)
    shares = (times[math.ceil(share * len(times)) - 1] for share in (0.5, 0.95, 0.99, 1))
    return Spread(len(calls), sum(call.failed for call in calls), *(round(seconds, 3) for seconds in shares))


def calls_of(made: Sequence[Visit]) -> dict[str, Any]:
    """The spread of each kind of call, in the order of a visit, and of all; some of what went wrong."""
    every = [call for visit in made for call in visit.calls]
    kinds = {
        name: [call for call in every if call.operation == name] for name in dict.fromkeys(c.operation for c in every)
    }
    return {
        "calls": {name: asdict(spread(calls)) for name, calls in (*kinds.items(), ("all", every))},
        "first_errors": [visit.error for visit in made if visit.error][:5],
    }


def holds(result: dict[str, Any]) -> bool:
    """Whether what is promised was so."""
    every = result["calls"]["all"]
    errors = every["errors"] + result["visits"]["errors"] + result.get("runs_not_done", 0)
    return not errors and every["p99"] < SECONDS


def show(result: dict[str, Any]) -> None:
    """The table, and what else there is to know."""
    console = Console(highlight=False)
    say = console.print
    say(f"{result['companies']} connectors, begun within {result['over']:g} s, one server, {result['cores']} cores")
    shown = Table("call", box=None)
    for name in ("count", "errors", "p50 s", "p95 s", "p99 s", "max s"):
        shown.add_column(name, justify="right")
    for name, each in result["calls"].items():
        times = (f"{each[share]:.2f}" for share in ("p50", "p95", "p99", "max"))
        shown.add_row(name, f"{each['count']:,}", str(each["errors"]), *times)
    say(shown)
    say(f"{result['visits']['count']} whole visits in {result['seconds']} s, {result['visits']['errors']} ended badly")
    say(
        f"of a core's time meanwhile: the server {result['server_core_seconds']} s, "
        f"the connectors {result['connectors_core_seconds']} s"
    )
    if "files" in result:
        say(
            f"{result['files']:,} files lay in place {result['files_seconds']} s after the last visit, "
            f"{result['runs_not_done']} runs did not end well"
        )
    for problem in (*result["first_errors"], *result.get("first_problems", ())):
        say(f"  {problem}")
    say(f"peak memory of the server: {result['server_peak_megabytes']} MB")
    say(f"no error, and p99 of all calls under {SECONDS:g} s: {'yes' if holds(result) else 'NO'}")
