"""Runs a command and tells what it took: ``python -m deixis.eval.speed.watch COMMAND...``.

Linux gives a new process the peak of the one that started it, so a small one must stand between: this
file imports nothing large. Standard output is one line of JSON; what the command prints is dropped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in one of ``ru_maxrss``: getrusage(2) of macOS counts bytes, of Linux kibibytes."""


def watched(command: list[str]) -> dict[str, float]:
    """Returns the command's exit status, wall and processor seconds, and the peak of its memory in bytes."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "status": process.returncode,
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * RSS_UNIT,
    }


if __name__ == "__main__":
    print(json.dumps(watched(sys.argv[1:])))
