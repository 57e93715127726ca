"""Real recordings of known kinds, half of them for training and half for tests.

A folder with the layout ``audio/labels.json`` gives the recordings. Which half a file is in follows from
its content alone: the first byte of its SHA-256 is even for ``dev``, odd for ``test``. Only ``dev`` is
ever trained on, and of it only files with one kind of sound; the names and digests of what was used
belong into the model card. The evaluations *hear* and *match* of the same folder run over both halves, so
figures of a network that was trained with recordings count for its ``test`` files only. Files that the
mixed scenes of *events* were made of are of the ``test`` half, whatever their digest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from deixis.errors import InputFault
from deixis.learned.world.sounds.signal import RATE_HZ, length

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound

LABELS = "audio/labels.json"
KIND_OF = {
    "dog bark": "bark", "bird song": "chirp", "alarm clock": "alarm", "car horn": "horn",
    "coughing": "cough", "thunder storm": "thunder", "cat (by two taggers)": "meow", "speech": "speech",
    "computer keyboard": "typing", "metro train": "train", "violin": "violin", "hens": "cluck",
    "acoustic guitar": "guitar", "caption: An engine loudly idling": "engine",
}  # fmt: skip
"""Kinds by label; captions of several sounds are none."""
SCENE_PARTS = "scaper_"
"""How the names of files begin that are parts of mixed scenes."""
FRAME_S, PAUSE_S, SHORTEST_S, LONGEST_S = 0.02, 0.5, 0.1, 3.0
QUIETEST_DB, OVER_FLOOR_DB = -30.0, 8.0
"""A frame sounds where it is at most this far below the loudest, and this far above the quietest tenth."""
Half = Literal["dev", "test"]


@dataclass(frozen=True)
class Recording:
    """A real recording of one kind; `digest` is "sha256:…" of the file."""

    file: str
    kind: str
    digest: str
    half: Half


def half_of(name: str, digest: str) -> Half:
    """Returns the half that a file of this name and hexadecimal SHA-256 is in."""
    if Path(name).name.startswith(SCENE_PARTS):
        return "test"
    return "dev" if int(digest[:2], 16) % 2 == 0 else "test"


def listed(data: Path) -> tuple[Recording, ...]:
    """Returns the recordings of known kinds in a folder, of both halves; none where it has no labels.

    Raises:
        InputFault: the list of labels cannot be read.
    """
    path = data / LABELS
    if not path.is_file():
        return ()
    try:
        rows = json.loads(path.read_text("utf-8"))
        pairs = [(str(row["file"]), KIND_OF.get(str(row["label"]).split(",")[0])) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise InputFault(
            "world.recordings.unreadable", f"{path} cannot be read: {error}.", "Give a list of {file, label}."
        ) from error
    found = []
    for file, kind in pairs:
        if kind is not None and (data / file).is_file():
            digest = hashlib.sha256((data / file).read_bytes()).hexdigest()
            found.append(Recording(file, kind, f"sha256:{digest}", half_of(file, digest)))
    return tuple(found)


def recordings(data: Path, half: Half = "dev") -> dict[str, tuple[Sound, ...]]:
    """Returns the sounds of one half by kind: stretches without long pauses, of 0.1 to 3 s, peak 1."""
    found: dict[str, tuple[Sound, ...]] = {}
    for one in listed(data):
        if one.half == half:
            parts = stretches(_samples(data / one.file))
            found[one.kind] = (*found.get(one.kind, ()), *parts)
    return {kind: parts for kind, parts in found.items() if parts}


def stretches(sound: Sound) -> tuple[Sound, ...]:
    """Returns the parts of a recording that sound, cut at pauses of more than 0.5 s and after 3 s."""
    frame = length(FRAME_S)
    frames = sound[: len(sound) // frame * frame].reshape(-1, frame)
    if len(frames) == 0:
        return ()
    levels = 10 * np.log10(np.mean(frames**2, axis=1, dtype=np.float64) + 1e-12)
    # A sound that goes on and on has no quiet frames to tell the floor from.
    floor = min(float(np.quantile(levels, 0.1)) + OVER_FLOOR_DB, float(levels.max()) - 12)
    active = np.flatnonzero(levels >= max(floor, float(levels.max()) + QUIETEST_DB))
    cuts = np.flatnonzero(np.diff(active) > PAUSE_S / FRAME_S) + 1
    parts: list[Sound] = []
    for run in np.split(active, cuts):
        start, end = int(run[0]) * frame, (int(run[-1]) + 1) * frame
        for first in range(start, end, length(LONGEST_S)):
            part = sound[first : min(end, first + length(LONGEST_S))]
            if len(part) >= length(SHORTEST_S):
                parts.append(np.asarray(part / (np.abs(part).max() + 1e-9), np.float32))
    return tuple(parts)


def _samples(path: Path) -> Sound:
    import soundfile
    import soxr

    try:
        raw, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputFault(
            "world.recordings.unreadable", f"{path.name} cannot be read: {error}.", "Give WAV, FLAC or OGG."
        ) from error
    return np.asarray(soxr.resample(raw.mean(axis=1), rate, RATE_HZ), np.float32)
