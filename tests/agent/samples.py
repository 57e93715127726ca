"""Files that are given as pictures and sounds, good and bad, and a program in a process of its own."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import ROOT
from tests.graphs import fakes

RED = (200, 20, 20)


def painted(mode: str, kind: str, **options: Any) -> bytes:
    """A red rectangle from (30, 20) to (90, 60) on a white picture of 160 × 120 pixels."""
    from PIL import Image

    picture = Image.new("RGB", (160, 120), (255, 255, 255))
    picture.paste(RED, (30, 20, 90, 60))
    made = io.BytesIO()
    picture.convert(mode).save(made, kind, **options)
    return made.getvalue()


def grainy(kind: str) -> bytes:
    from PIL import Image

    made = io.BytesIO()
    Image.fromarray(fakes.picture()).save(made, kind)
    return made.getvalue()


def blank(side: tuple[int, int], mode: str, kind: str) -> bytes:
    from PIL import Image

    made = io.BytesIO()
    Image.new(mode, side).save(made, kind)
    return made.getvalue()


def bomb() -> bytes:
    """A small PNG file whose header promises 60,000 × 30,000 pixels."""
    made = bytearray(blank((6, 3), "1", "PNG"))
    made[16:24] = struct.pack(">II", 60_000, 30_000)
    made[29:33] = struct.pack(">I", zlib.crc32(made[12:29]))
    return bytes(made)


def tone(seconds: float, rate: int = 16_000, kind: str = "WAV", spoil: float = 0.0) -> bytes:
    """A tone of 440 Hz; the share `spoil` of its samples is not a number."""
    import soundfile

    samples, _ = fakes.sound(seconds, rate)
    samples[: int(len(samples) * spoil)] = np.nan
    made = io.BytesIO()
    soundfile.write(made, samples, rate, format=kind, subtype="FLOAT" if spoil else None)
    return made.getvalue()


def written(folder: Path, name: str, make: Callable[[], bytes]) -> Path:
    path = folder / name
    path.write_bytes(make())
    return path


def child(code: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "300"},
    )
