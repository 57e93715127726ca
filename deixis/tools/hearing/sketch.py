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
from deixis.tools.hearing.level import SILENCE_DBFS, loudest_dbfs
from deixis.tools.hearing.protocol import HearRequest, HearResult, SoundEvent, WindowPlan
from deixis.tools.protocol import LocalTool, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 16_000
WINDOW = 1024
HOP = 256
BLOCK = 2048
"""Frames whose spectra are taken at a time, so that a long sound takes no more memory than a short one."""
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
        level = loudest_dbfs(samples, RATE)
        frames = _frames(samples - samples.mean(dtype=np.float64).astype(np.float32))
        plan = WindowPlan(length_s=WINDOW / RATE, hop_s=HOP / RATE, count=len(frames))
        if level < SILENCE_DBFS:
            return HearResult(silent=True, level_dbfs=level, plan=plan)
        least = request.threshold or 0.0
        events = [event for event in _tones(frames, request.audio.duration_s) if event.score.value >= least]
        surest = sorted(events, key=lambda event: -event.score.value)[: request.top]
        events = sorted(surest, key=lambda event: event.span.start_s)
        return HearResult(events=tuple(events), level_dbfs=level, plan=plan)


def _frames(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns overlapping frames, shape (n, WINDOW), centred every HOP samples."""
    padded = np.pad(samples, (WINDOW // 2, WINDOW // 2 + HOP))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    return np.asarray(windows, dtype=np.float32)


def _peaks(
    frames: NDArray[np.float32],
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Returns of each frame the strongest bin, the share of the power near it, and the power, each (n,)."""
    window = np.hanning(WINDOW).astype(np.float32)
    columns = np.arange(WINDOW // 2 + 1)
    peaks, shares, powers = [], [], []
    for first in range(0, len(frames), BLOCK):
        part = frames[first : first + BLOCK]
        power = np.abs(np.fft.rfft(part * window, axis=1)) ** 2
        peak = power.argmax(axis=1)
        near = np.abs(columns[None] - peak[:, None]) <= NARROW_BINS
        peaks.append(peak)
        shares.append((power * near).sum(axis=1) / (power.sum(axis=1) + 1e-9))
        powers.append(np.mean(part**2, axis=1, dtype=np.float64))
    return np.concatenate(peaks), np.concatenate(shares), np.concatenate(powers)


def _tones(frames: NDArray[np.float32], duration_s: float) -> list[SoundEvent]:
    peak, share, power = _peaks(frames)
    loud = power > 0.1 * power.max()
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
