"""Hearing with two small networks over AudioSet: YAMNet and EfficientAT mn04."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.geometry import Frozen, TimeSpan
from deixis.media.refs import Digest, MediaSource
from deixis.tools.hearing.activity import Activity, activity
from deixis.tools.hearing.events import Found, events
from deixis.tools.hearing.level import SILENCE_DBFS, loudest_dbfs
from deixis.tools.hearing.mel import RATE_HZ
from deixis.tools.hearing.mn04 import class_ids
from deixis.tools.hearing.ontology import ONTOLOGY, ontology
from deixis.tools.hearing.protocol import ClipLabel, HearRequest, HearResult, SoundEvent
from deixis.tools.hearing.sources import known_sources
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLD = 0.4
"""Least score of a confident event, chosen on made scenes (see `activity.YAMNET_SHARE`): at 0.3 half as
many wrong events again come for two more right ones of 153, at 0.5 every tenth right one is lost."""
CLIP_LABELS, CLIP_FLOOR = 10, 0.05
QUIETEST_DBFS, LOUDEST_DBFS = -32.0, -10.0
"""Sounds whose loudest tenth of a second lies outside are brought to the nearer end: the networks were
trained on recordings of ordinary level, and the same bark must be a bark at any volume."""


class LightHearing(LocalTool[HearRequest, HearResult]):
    """Events and clip labels of a sound.

    An event's score is the probability of its source, which is at least that of the kind that names
    it: a *bark* of 0.35 within a *dog* of 0.8 is the event *bark* with 0.8.
    """

    name = "hearing/light"
    version = "1"
    role: ClassVar[Role] = "hearing"
    Input: ClassVar[type[Frozen]] = HearRequest
    Output: ClassVar[type[Frozen]] = HearResult

    @property
    def weights_digest(self) -> Digest | None:
        """Returns the digest over the digests of both networks and of the ontology."""
        names = ("audio/mn04_as_mAP_432.pt", "audio/yamnet.tflite", ONTOLOGY)
        joined = "\n".join(locate(name).digest for name in names)
        return f"sha256:{hashlib.sha256(joined.encode()).hexdigest()}"

    def run(self, request: HearRequest, media: MediaSource) -> HearResult:
        """Returns the events over the threshold by start time, the strongest `top` of them.

        Raises:
            WeightsMissing: a network is not here.
        """
        samples = media.samples(request.audio, RATE_HZ)
        level = loudest_dbfs(samples, RATE_HZ)
        if level < SILENCE_DBFS:
            return HearResult(silent=True, level_dbfs=level)
        gain = 10 ** ((min(max(level, QUIETEST_DBFS), LOUDEST_DBFS) - level) / 20)
        heard = activity(samples, gain)
        threshold = THRESHOLD if request.threshold is None else request.threshold
        sure = [f for f in self._found(heard) if f.score >= threshold][: request.top]
        longest = request.audio.duration_s or heard.duration_s
        return HearResult(
            events=tuple(sorted((_event(f, longest) for f in sure), key=lambda e: (e.span.start_s, e.label))),
            clip=_clip_labels(heard.clip),
            level_dbfs=level,
            plan=heard.plan,
        )

    def _found(self, heard: Activity) -> list[Found]:
        ids = class_ids()
        return events(heard, known_sources(ids), ids, ontology())


def _event(found: Found, duration_s: float) -> SoundEvent:
    class_id = class_ids()[found.member]
    start = min(found.start_s, duration_s)
    return SoundEvent(
        label=ontology()[class_id].label,
        span=TimeSpan(start_s=round(start, 3), end_s=round(min(max(start, found.end_s), duration_s), 3)),
        score=Score(value=round(found.score, 4), kind="hearing"),
        parents=ontology().parent_labels(class_id),
        class_id=class_id,
    )


def _clip_labels(scores: NDArray[np.float32]) -> tuple[ClipLabel, ...]:
    best = [int(i) for i in np.argsort(-scores, kind="stable")[:CLIP_LABELS] if scores[i] >= CLIP_FLOOR]
    return tuple(
        ClipLabel(
            label=ontology()[class_ids()[i]].label,
            score=Score(value=round(float(scores[i]), 4), kind="hearing"),
            class_id=class_ids()[i],
        )
        for i in best
    )


def light() -> LightHearing:
    """Returns the tool; its networks are loaded when it is first called.

    Raises:
        WeightsMissing: a weight file is not here.
    """
    tool = LightHearing()
    _ = tool.weights_digest
    return tool
