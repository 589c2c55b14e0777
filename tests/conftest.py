"""What holds for every test: a skip is a failure where the machine is meant to have everything."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure when ROUTEBOOKS_NO_SKIPS is set, as .ci/run does."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("ROUTEBOOKS_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report
