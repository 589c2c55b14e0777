"""A run holds a batch, not the whole stream: its memory does not grow with the number of its records."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import big_night

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the most that was used")


def peak(customers: int) -> float:
    """The most megabytes of a real night, from the first page to the last link, in a process of its own."""
    command = [sys.executable, big_night.__file__, str(customers)]
    said = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=100).stdout)
    assert said["linked"] == customers
    return float(said["megabytes"])


def test_a_night_of_more_customers_takes_no_more_memory() -> None:
    # Both have whole batches. As tables, 20,000 customers more would take some 60 MB more.
    assert peak(35_000) - peak(15_000) < 30
