"""The peak memory of a fresh process that runs a piece of code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")
REPORT = """
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def measured(code: str, *arguments: str) -> tuple[list[str], int]:
    """Returns what the code printed, in words, and its peak memory in MiB.

    VmHWM begins anew with the process; ``ru_maxrss`` would start at the peak of the test's own process.
    """
    if not STATUS.exists():
        pytest.skip("peak memory is read from /proc, which only Linux has")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code + REPORT, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    *words, peak_kib = done.stdout.split()
    return words, int(peak_kib) // 1024
