"""A toolbox of scripted tools for runs without networks, and media to run them on."""

from __future__ import annotations

from typing import Any

import numpy as np

from deixis.answer import Score
from deixis.geometry import Box, Frozen, Mask, TimeSpan
from deixis.tools.detection import Detection, GroundRequest, GroundResult, PhraseBoxes
from deixis.tools.hearing import HearRequest, HearResult, SoundEvent
from deixis.tools.linking import LinkRequest, LinkResult
from deixis.tools.matching import MatchRequest, MatchResult, PairVerdict
from deixis.tools.protocol import LocalTool
from deixis.tools.segmentation import ScoredMask, SegmentRequest, SegmentResult
from deixis.tools.tagging import Tag, TagRequest, TagResult

DOG = Box(x1=10, y1=20, x2=60, y2=80)
CAT = Box(x1=80, y1=30, x2=120, y2=90)


def picture() -> np.ndarray:
    """A grey picture of 160 × 120 pixels with some grain, so that its digest is its own."""
    return np.random.default_rng(1).integers(90, 160, (120, 160, 3), dtype=np.uint8)


def sound(seconds: float = 2.0, rate: int = 16_000) -> tuple[np.ndarray, int]:
    """A soft tone."""
    times = np.arange(int(seconds * rate)) / rate
    return (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32), rate


INPUTS: dict[str, type[Frozen]] = {
    "tagging": TagRequest,
    "detection": GroundRequest,
    "hearing": HearRequest,
    "segmentation": SegmentRequest,
    "matching": MatchRequest,
    "linking": LinkRequest,
}


class Fake(LocalTool[Any, Any]):
    """A tool that answers by a function and counts its calls."""

    version = "1"

    def __init__(self, role: str, output: type[Frozen], answer: Any) -> None:
        self.name = f"{role}/fake"
        self.role = role  # type: ignore[misc]
        self.Input = INPUTS[role]  # type: ignore[misc]
        self.Output = output  # type: ignore[misc]
        self.answer = answer
        self.calls: list[Any] = []

    def run(self, request: Any, media: Any) -> Any:
        self.calls.append(request)
        return self.answer(request)


def tagging(request: TagRequest) -> TagResult:
    return TagResult(tags=(Tag(label="lawn", score=Score(value=0.8, kind="tagger")),))


def detection(request: GroundRequest) -> GroundResult:
    seen = {
        "dog": Detection(box=DOG, score=Score(value=0.9, kind="detector"), name="dog"),
        "cat": Detection(box=CAT, score=Score(value=0.7, kind="detector"), name="cat"),
    }
    phrases = []
    for phrase in request.phrases:
        name = phrase.lower().rstrip("s").removeprefix("the ")
        status = "found" if name in seen else "not_covered" if name == "unicorn" else "absent"
        boxes = (seen[name],) if name in seen else ()
        phrases.append(PhraseBoxes(phrase=phrase, status=status, detections=boxes))
    return GroundResult(phrases=tuple(phrases), everything=tuple(seen.values()) if request.everything else ())


def hearing(request: HearRequest) -> HearResult:
    event = SoundEvent(
        label="bark",
        span=TimeSpan(start_s=0.5, end_s=1.0),
        score=Score(value=0.8, kind="hearing"),
        parents=("dog", "animal"),
    )
    return HearResult(events=(event,))


def segmentation(request: SegmentRequest) -> SegmentResult:
    masks = []
    for box in request.boxes:
        pixels = np.zeros((request.image.size.height, request.image.size.width), dtype=bool)
        pixels[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)] = True
        score = Score(value=0.9, kind="mask")
        masks.append(ScoredMask(mask=Mask.from_array(pixels), score=score, method="fake"))
    return SegmentResult(masks=tuple(masks))


def matching(request: MatchRequest) -> MatchResult:
    dogs = [item.id for item in request.visible if "dog" in item.names]
    score = Score(value=0.9, kind="lexical")
    pairs = []
    for heard in request.heard:
        verdict: Any = "matched" if dogs and "dog" in heard.event.parents else "unmatched"
        thing = dogs[0] if verdict == "matched" else None
        pairs.append(
            PairVerdict(sound=heard.id, thing=thing, verdict=verdict, score=score, reason="by the fake")
        )
    overall: Any = "unknown" if not pairs else pairs[0].verdict
    return MatchResult(pairs=tuple(pairs), overall=overall, overall_score=score, reason="by the fake")


def linking(request: LinkRequest) -> LinkResult:
    return LinkResult()


def tools(**changed: Any) -> dict[str, Fake]:
    """Returns a fake for each role of the pipeline; keywords replace what one answers."""
    fakes = {
        "tagging": (TagResult, tagging),
        "detection": (GroundResult, detection),
        "hearing": (HearResult, hearing),
        "segmentation": (SegmentResult, segmentation),
        "matching": (MatchResult, matching),
        "linking": (LinkResult, linking),
    }
    return {role: Fake(role, output, changed.get(role, made)) for role, (output, made) in fakes.items()}
