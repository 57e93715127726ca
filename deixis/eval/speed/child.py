"""Processes of their own: what a command takes from its start to its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.errors import DeixisError
from deixis.eval.speed.data import Case
from deixis.tools.toolbox import Toolbox


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
    watch = [sys.executable, "-m", "deixis.eval.speed.watch"]
    done = subprocess.run(
        [*watch, sys.executable, "-m", "deixis", *words],
        env={**os.environ, "DEIXIS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout) if done.returncode == 0 else {"status": done.returncode}
    if told["status"] != 0:
        raise DeixisError(
            "eval.speed.child",
            f"deixis {words[0]} ended with {told['status']}: {done.stderr.strip()[-500:]}",
            command=words[0],
        )
    return Spent(told["wall_s"], told["cpu_s"], int(told["peak_bytes"]))


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
