"""Processes of their own: what a command takes from its start to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deixis.errors import DeixisError
from deixis.eval.speed.data import Case
from deixis.tools.toolbox import Toolbox

RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in one of ``ru_maxrss``: getrusage(2) of macOS counts bytes, of Linux kibibytes."""


@dataclass(frozen=True)
class Spent:
    """What a piece of work took; `peak_bytes` is the most memory its process held, 0 where not measured."""

    wall_s: float
    cpu_s: float
    peak_bytes: int = 0


def spent_by(words: Sequence[str], home: Path) -> Spent:
    """Returns what ``deixis WORDS`` takes in a fresh process, with the store in `home`.

    Raises:
        DeixisError: the command failed; the message ends with what it said (code ``eval.speed.child``).
    """
    environment = {**os.environ, "DEIXIS_HOME": str(home)}
    home.mkdir(parents=True, exist_ok=True)
    with (home / "said.txt").open("w+") as said:
        spent, status = _watched([sys.executable, "-m", "deixis", *words], environment, said)
        said.seek(0)
        told = said.read().strip()
    if status != 0:
        raise DeixisError(
            "eval.speed.child", f"deixis {words[0]} ended with {status}: {told[-500:]}", command=words[0]
        )
    return spent


def _watched(command: Sequence[str], environment: Mapping[str, str], said: IO[str]) -> tuple[Spent, int]:
    """Returns what the process took and its exit status; its memory is its own, not that of others."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    return Spent(wall, cpu, usage.ru_maxrss * RSS_UNIT), process.returncode


def profile_file(toolbox: Toolbox, folder: Path) -> Path:
    """Returns a profile's TOML file with the tools of `toolbox`, by their names."""
    lines = ['name = "speed"', "[tools]"]
    lines += [f"{role} = {json.dumps(toolbox.name(role))}" for role in toolbox.roles()]
    path = folder / "speed.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def manifest_file(cases: Sequence[Case], question: str, folder: Path) -> Path:
    """Returns the manifest of a batch that asks `question` about every case."""
    rows = [
        json.dumps(
            {"question": question, "image": str(case.image.resolve()), "audio": str(case.audio.resolve())}
        )
        for case in cases
    ]
    path = folder / "manifest.jsonl"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path
