"""Pure tones by signal processing: the listener that needs no weights.

It finds stretches where most of the power lies in one narrow band, and calls them low, middle or high
beeps. It is there so that the whole system runs anywhere; in recordings it hears next to nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Frozen, TimeSpan
from deixis.media.refs import MediaSource
from deixis.tools.hearing.protocol import HearRequest, HearResult, SoundEvent, WindowPlan
from deixis.tools.protocol import LocalTool, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 16_000
WINDOW = 1024
HOP = 256
SILENT_DBFS = -60.0
NARROW_BINS = 2
"""Bins on either side of the peak that still belong to a tone in a Hann window."""
TONAL = 0.8
"""Least share of a frame's power in that band for a pure tone."""
SHORTEST_S = 0.04
NAMES = ((600.0, "low beep"), (1500.0, "beep"), (np.inf, "high beep"))


class SketchHearing(LocalTool[HearRequest, HearResult]):
    """Hears 'low beep', 'beep' and 'high beep'."""

    name = "hearing/sketch"
    version = "1"
    role: ClassVar[Role] = "hearing"
    Input: ClassVar[type[Frozen]] = HearRequest
    Output: ClassVar[type[Frozen]] = HearResult

    def run(self, request: HearRequest, media: MediaSource) -> HearResult:
        """Returns the tones by start time."""
        samples = media.samples(request.audio, RATE)
        frames = _frames(samples)
        level = 10 * np.log10(np.max(np.mean(frames**2, axis=1), initial=0.0) + 1e-12)
        plan = WindowPlan(length_s=WINDOW / RATE, hop_s=HOP / RATE, count=len(frames))
        if level < SILENT_DBFS:
            return HearResult(silent=True, level_dbfs=float(level), plan=plan)
        least = request.threshold or 0.0
        events = [event for event in _tones(frames, request.audio.duration_s) if event.score.value >= least]
        return HearResult(events=tuple(events[: request.top]), level_dbfs=float(level), plan=plan)


def _frames(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns overlapping frames, shape (n, WINDOW), centred every HOP samples."""
    padded = np.pad(samples, (WINDOW // 2, WINDOW // 2 + HOP))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    return np.asarray(windows, dtype=np.float32)


def _tones(frames: NDArray[np.float32], duration_s: float) -> list[SoundEvent]:
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)) ** 2
    peak = power.argmax(axis=1)
    columns = np.arange(power.shape[1])
    near = np.abs(columns[None] - peak[:, None]) <= NARROW_BINS
    share = (power * near).sum(axis=1) / (power.sum(axis=1) + 1e-9)
    loud = np.mean(frames**2, axis=1) > 0.1 * np.max(np.mean(frames**2, axis=1))
    kind = np.searchsorted([top for top, _ in NAMES], peak * RATE / WINDOW)
    kind = np.where((share >= TONAL) & loud, kind, -1)
    edges = np.flatnonzero(np.diff(np.concatenate([[-1], kind, [-1]])))
    events = []
    for first, last in pairwise(edges):
        start, end = first * HOP / RATE, min(duration_s, (last - 1) * HOP / RATE)
        if kind[first] >= 0 and end - start >= SHORTEST_S:
            score = Score(value=float(np.clip(share[first:last].mean(), 0, 1)), kind="hearing")
            span = TimeSpan(start_s=float(start), end_s=float(end))
            events.append(SoundEvent(label=NAMES[kind[first]][1], span=span, score=score))
    return events


def sketch() -> SketchHearing:
    """Returns the listener of the profile sketch."""
    return SketchHearing()
