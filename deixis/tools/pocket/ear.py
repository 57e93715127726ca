"""The ear: a sound in, the activity of each kind of sound over time and vectors in the space of words out.

The file carries its kinds and the limits that make events of activities in its metadata, so that one
digest covers all of it. `deixis.learned.pocket.ear` is the recipe.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deixis.errors import InputFault
from deixis.tools.onnx import opened
from deixis.tools.pocket.logmel import BANDS, HOP, RATE_HZ, log_mel
from deixis.tools.pocket.shipped import shipped
from deixis.tools.weights.digest import sha256_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIDE = 4
"""Frames of the picture per frame of the activity."""
FRAME_S = STRIDE * HOP / RATE_HZ
CENTRE_S = HOP / RATE_HZ / 2
"""Where the first frame of the activity is centred."""
BLOCK_FRAMES, CONTEXT_FRAMES = 500, 80
"""Frames of activity a pass, and what is heard around them: the network's view is 2.6 s (65 frames)."""
SEARCHED_S, STEPS_A_FRAME = 1.0, 4
"""How far from a crossing the likeliest end is looked for, and in which steps."""
NETWORK = "ear.onnx"
INPUT, ACTIVITY, VECTORS, FACTS = "pictures", "activity", "vectors", "deixis.ear"


class Limits(NamedTuple):
    """What makes events of activities; all but `high` are shared by the kinds.

    After gaps shorter than `gap_s` are closed, a stretch over `low` is an event if it reaches `high[kind]`
    somewhere, unless it is shorter than `shortest_s`. So `high` decides which stretches are events, and
    never where one begins or ends: that is where the activity changes most, smoothed by a deviation of
    `about_s` (see `_likeliest`), or where it crosses `low` if `about_s` is 0.
    """

    high: tuple[float, ...]
    low: float
    shortest_s: float
    gap_s: float
    about_s: float = 0.0


class Kind(NamedTuple):
    """A kind of sound: its name here, and the AudioSet class it is, with its ancestors, nearest first."""

    name: str
    label: str
    class_id: str
    parents: tuple[str, ...]


class Heard(NamedTuple):
    """Activities in 0..1, shape (n, kinds), and vectors (n, DIM); frame i is centred on `centre_s(i)`."""

    activity: NDArray[np.float32]
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """A kind of sound from `start_s` to `end_s`; of its activity `score` is the mean of the upper half, and
    `peak` the highest.
    """

    kind: int
    start_s: float
    end_s: float
    score: float
    peak: float


def centre_s(frame: float) -> float:
    """Returns the middle of a frame of the activity in seconds."""
    return frame * FRAME_S + CENTRE_S


class Ear:
    """The loaded network; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        with opened(path, _unusable) as session:
            self._session: Any = session
            facts = json.loads(session.get_modelmeta().custom_metadata_map[FACTS])
            self.kinds = tuple(
                Kind(name, label, class_id, tuple(parents))
                for name, label, class_id, parents in facts["kinds"]
            )
            self.limits = Limits(tuple(facts["limits"].pop("high")), **facts["limits"])
            shapes = {one.name: one.shape[-1] for one in session.get_outputs()}
            self.dimension = int(shapes[VECTORS])
            fits = shapes[ACTIVITY] == len(self.kinds) == len(self.limits.high)
            fits = fits and session.get_inputs()[0].shape[-1] == BANDS
        if not fits:
            raise _unusable(path, "its kinds, limits and outputs do not belong together")
        self.weights_digest = f"sha256:{sha256_of(path)}"

    def hear(self, samples: NDArray[np.float32]) -> Heard:
        """Returns what is heard in samples (n,) at 16 kHz: a frame every 40 ms.

        Long sounds are heard in blocks, each with what comes before and after it, so that memory stays
        bounded and the blocks' borders do not show.
        """
        count = max(1, -(-len(samples) // (HOP * STRIDE)))
        activity = np.zeros((count, len(self.kinds)), np.float32)
        vectors = np.zeros((count, self.dimension), np.float32)
        step = HOP * STRIDE
        for first in range(0, count, BLOCK_FRAMES):
            last = min(count, first + BLOCK_FRAMES)
            start, stop = max(0, first - CONTEXT_FRAMES), min(count, last + CONTEXT_FRAMES)
            part = samples[start * step : stop * step]
            part = np.pad(part, (0, (stop - start) * step - len(part)))
            found, placed = self._session.run([ACTIVITY, VECTORS], {INPUT: log_mel(part)[None]})
            kept = slice(first - start, last - start)
            activity[first:last], vectors[first:last] = found[0][kept], placed[0][kept]
        return Heard(activity, vectors)


def stretches(activity: NDArray[np.float32], limits: Limits, duration_s: float) -> list[Stretch]:
    """Returns the events of activities (n, kinds) in 0..1, by start, then by kind."""
    found: list[Stretch] = []
    for kind in np.flatnonzero((activity >= np.array(limits.high, activity.dtype)).any(axis=0)):
        found += _of_kind(activity[:, kind], int(kind), limits, duration_s)
    return sorted(found, key=lambda one: (one.start_s, one.kind))


def _of_kind(curve: NDArray[np.float32], kind: int, limits: Limits, duration_s: float) -> list[Stretch]:
    over = np.concatenate([[False], curve >= limits.low, [False]])
    starts, ends = np.flatnonzero(over[1:] & ~over[:-1]), np.flatnonzero(~over[1:] & over[:-1])
    runs: list[list[int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if runs and (start - runs[-1][1]) * FRAME_S < limits.gap_s:
            runs[-1][1] = end
        else:
            runs.append([start, end])
    found = []
    for number, (start, end) in enumerate(runs):
        peak = float(curve[start:end].max())
        if peak < limits.high[kind]:
            continue
        begins, stops = _crossing(curve, start, limits.low), _crossing(curve, end, limits.low)
        if limits.about_s:
            least = runs[number - 1][1] if number else 0
            most = runs[number + 1][0] - 1 if number + 1 < len(runs) else len(curve) - 1
            middle = (start + end - 1) / 2
            if start:
                begins = _likeliest(curve, begins, (least, middle), limits.about_s)
            if end < len(curve):
                stops = _likeliest(-curve, stops, (middle, most), limits.about_s)
        begins, stops = max(0.0, begins), min(duration_s, stops)
        if stops - begins >= min(limits.shortest_s, duration_s / 2):
            values = np.sort(curve[start:end])[(end - start) // 2 :]
            found.append(Stretch(kind, begins, stops, float(values.mean()), peak))
    return found


def _likeliest(
    curve: NDArray[np.float32], at_s: float, between: tuple[float, float], about_s: float
) -> float:
    """Returns the time near `at_s`, `between` two frames, about which the curve rises most.

    The activity of a frame is the chance that the sound has begun by then, so its rise is the density of
    the beginning; smoothed by a bell curve of deviation `about_s`, its peak is the likeliest time. Under a
    louder sound the curve rises slowly, and where it passes a half may lie far from there.
    """
    at, reach = (at_s - CENTRE_S) / FRAME_S, SEARCHED_S / FRAME_S
    first, last = max(between[0], at - reach), min(between[1], at + reach)
    if last <= first:
        return at_s
    tried = np.linspace(first, last, max(2, 1 + round((last - first) * STEPS_A_FRAME)))
    wide = 4 * about_s / FRAME_S  # nothing beyond has any weight, and sounds may be long
    near = np.arange(max(0, int(first - wide)), min(len(curve) - 1, int(last + wide) + 1))
    off = tried[:, None] - (near + 0.5)
    density = np.exp(-0.5 * (off * FRAME_S / about_s) ** 2) @ (curve[near + 1] - curve[near])
    return centre_s(float(tried[density.argmax()]))


def _crossing(curve: NDArray[np.float32], at: int, limit: float) -> float:
    """Returns when the curve crosses the limit between frames ``at - 1`` and ``at``, in seconds.

    A sound that is there at the first or the last frame starts or ends with the recording.
    """
    if at == 0:
        return 0.0
    if at == len(curve):
        return centre_s(at)
    before, after = float(curve[at - 1]), float(curve[at])
    share = (limit - before) / (after - before) if after != before else 0.5
    return centre_s(at - 1 + min(1.0, max(0.0, share)))


def pooled(vectors: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Returns the direction of the weighted sum of vectors (n, DIM); None where nothing has weight."""
    total = (vectors * weight[:, None]).sum(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(total))
    return (total / length).astype(np.float32) if length > 1e-6 else None


def facts(kinds: Sequence[Kind], limits: Limits) -> str:
    """Returns what the file's metadata hold under `FACTS`."""
    return json.dumps({"kinds": list(kinds), "limits": limits._asdict()})


def _unusable(path: Path, why: str) -> InputFault:
    return InputFault(
        "tools.pocket.ear",
        f"{path.name} is not an ear of this version: {why}.",
        "Train it again with: deixis train pocket --part ear",
    )


@cache
def ear(path: Path | None = None) -> Ear:
    """Returns the ear of the file, of the package if None is named; loaded once.

    Raises:
        InputFault: the file is not there, is no ear of this version, or is not the one of the package's
            card.
    """
    return Ear(shipped(NETWORK) if path is None else path)
