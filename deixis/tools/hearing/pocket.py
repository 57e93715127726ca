"""Hearing of the profile pocket: the ear's events, named as AudioSet names them.

The ear knows the sounds of the illustrated world. What it does not know it should pass over: an event is
a stretch in which a kind is surer than its own limit, chosen on clips of validation seeds.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Frozen, TimeSpan
from deixis.media.refs import Digest, MediaSource
from deixis.tools.hearing.level import SILENCE_DBFS, loudest_dbfs
from deixis.tools.hearing.protocol import ClipLabel, HearRequest, HearResult, SoundEvent, WindowPlan
from deixis.tools.pocket.ear import BLOCK_FRAMES, FRAME_S, NETWORK, Ear, Stretch, ear, stretches
from deixis.tools.pocket.logmel import RATE_HZ
from deixis.tools.pocket.shipped import card
from deixis.tools.protocol import LocalTool, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUIETEST_DBFS, LOUDEST_DBFS = -26.0, -6.0
"""Sounds whose loudest tenth of a second lies outside are brought to the nearer end: between them lie the
levels that the ear was trained on."""
CLIP_LABELS, CLIP_FLOOR = 10, 0.1


class PocketHearing(LocalTool[HearRequest, HearResult]):
    """Events and clip labels of a sound; an event's score is the mean of the surer half of its frames."""

    name = "hearing/pocket"
    version = "1"
    role: ClassVar[Role] = "hearing"
    Input: ClassVar[type[Frozen]] = HearRequest
    Output: ClassVar[type[Frozen]] = HearResult

    def __init__(self, network: Ear, trained_on: frozenset[Digest] = frozenset()) -> None:
        self._ear = network
        self.trained_on = trained_on
        """Digests of recordings that an evaluation has to leave out."""

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the ear's file."""
        return self._ear.weights_digest

    def run(self, request: HearRequest, media: MediaSource) -> HearResult:
        """Returns the events by start time, the strongest `top` of them.

        With a `threshold` every stretch whose score reaches it is an event, whatever its kind's own limit.
        """
        samples = media.samples(request.audio, RATE_HZ)
        level = loudest_dbfs(samples, RATE_HZ)
        if level < SILENCE_DBFS:
            return HearResult(silent=True, level_dbfs=level)
        activity = self._ear.hear(levelled(samples, level)).activity
        seconds = request.audio.duration_s or len(samples) / RATE_HZ
        limits = self._ear.limits
        if request.threshold is not None:
            limits = limits._replace(high=(limits.low,) * len(limits.high))
        found = [self._event(one, seconds) for one in stretches(activity, limits, seconds)]
        found = [one for one in found if one.score.value >= (request.threshold or 0)]
        events = sorted(found, key=lambda one: -one.score.value)[: request.top]
        return HearResult(
            events=tuple(sorted(events, key=lambda one: (one.span.start_s, one.label))),
            clip=self._clip(activity),
            level_dbfs=level,
            plan=WindowPlan(
                length_s=BLOCK_FRAMES * FRAME_S,
                hop_s=BLOCK_FRAMES * FRAME_S,
                count=-(-len(activity) // BLOCK_FRAMES),
            ),
        )

    def _event(self, one: Stretch, seconds: float) -> SoundEvent:
        kind = self._ear.kinds[one.kind]
        start_s, end_s = (min(seconds, round(value, 3)) for value in (one.start_s, one.end_s))
        return SoundEvent(
            label=kind.label,
            span=TimeSpan(start_s=start_s, end_s=max(start_s, end_s)),
            score=Score(value=round(min(1.0, one.score), 4), kind="hearing"),
            parents=kind.parents,
            class_id=kind.class_id,
        )

    def _clip(self, activity: NDArray[np.float32]) -> tuple[ClipLabel, ...]:
        """Returns the kinds by the activity that they reach for at least three frames."""
        third = np.sort(activity, axis=0)[-min(3, len(activity))]
        best: Iterable[int] = np.argsort(-third, kind="stable")[:CLIP_LABELS].tolist()
        return tuple(
            ClipLabel(
                label=self._ear.kinds[index].label,
                score=Score(value=round(float(third[index]), 4), kind="hearing"),
                class_id=self._ear.kinds[index].class_id,
            )
            for index in best
            if third[index] >= CLIP_FLOOR
        )


def levelled(samples: NDArray[np.float32], level_dbfs: float) -> NDArray[np.float32]:
    """Returns the sound without a constant offset, brought to a level that the ear was trained on."""
    gain_db = min(max(level_dbfs, QUIETEST_DBFS), LOUDEST_DBFS) - level_dbfs
    centred = samples - np.float32(samples.mean(dtype=np.float64))
    return centred if gain_db == 0 else centred * np.float32(10 ** (gain_db / 20))


def pocket(network: str | Path | None = None) -> PocketHearing:
    """Returns the hearing tool of the profile pocket.

    Args:
        network: an ear's ONNX file; the one in the package if None.

    Raises:
        InputFault: the file is not there, is damaged, or is of another version.
    """
    if network is not None:
        return PocketHearing(ear(Path(network)))
    used = card().get(NETWORK, {}).get("data", {}).get("recordings", ())
    return PocketHearing(ear(None), frozenset(str(one["digest"]) for one in used))
