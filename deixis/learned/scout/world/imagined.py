"""Tools that are imagined: what they say is the truth, made wrong by a stated noise.

Faults are drawn once for a trace, so that two calls agree as those of a real tool would: a thing missed at
the usual threshold is found by a fainter look if its score lies between the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deixis.answer import Score, Verdict
from deixis.errors import ToolFault
from deixis.geometry import Box, Mask, TimeSpan
from deixis.learned.scout.world.known import Known
from deixis.learned.scout.world.spec import VERSION, NoiseSpec
from deixis.learned.world.categories import categories, fits
from deixis.learned.world.sounds import KINDS, NUMBERS, SOUNDING
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult, PhraseBoxes
from deixis.tools.hearing.protocol import HearRequest, HearResult, SoundEvent
from deixis.tools.matching.protocol import MatchRequest, MatchResult, PairVerdict
from deixis.tools.protocol import Role
from deixis.tools.segmentation.protocol import ScoredMask, SegmentRequest, SegmentResult
from deixis.tools.tagging.protocol import Tag, TagRequest, TagResult

Rng = np.random.Generator
USUAL = 0.35
"""The threshold that imagined tools take of themselves."""
FAINT = 0.15
"""The threshold of a second, fainter look."""
STRAYS = 10.0
"""Wrong boxes from score 0 on in a look at everything, for each that a look at one phrase gets wrong."""


class Imagined:
    """Answers the calls of one trace from the truth of its media."""

    def __init__(self, known: Known, noise: NoiseSpec, rng: Rng) -> None:
        self._known, self._noise, self._rng = known, noise, rng
        self._spurious: dict[str, list[tuple[Box, float]]] = {}
        count = len(known.boxes) if known.scene is not None else 0
        self._sure = np.where(
            rng.random(count) < noise.missed,
            rng.uniform(0.08, USUAL, count),
            0.5 + 0.49 * rng.beta(3, 1.5, count),
        )
        self._seen = [self._moved(box) for box in known.boxes] if count else []

    def name(self, role: Role) -> str:
        """Returns a name that says that this is no tool that ran."""
        return f"{role}/imagined"

    def version(self, role: Role) -> str:
        """Returns the version of the maker, which is that of all it imagines."""
        return VERSION

    def call(self, role: Role, request: Any) -> Any:
        """Returns what a tool of this role could have said.

        Raises:
            ToolFault: nothing is imagined for this role.
        """
        answers: dict[str, Any] = {
            "tagging": self._tag, "detection": self._ground, "segmentation": self._segment,
            "hearing": self._hear, "matching": self._match,
        }  # fmt: skip
        if self._rng.random() < self._noise.faults:
            raise ToolFault("tool.timeout", f"{self.name(role)} gave no answer.", tool=self.name(role))
        if role not in answers:
            raise ToolFault("tool.imagined.role", f"No {role} is imagined.", tool=self.name(role))
        return answers[role](request)

    def _moved(self, box: Box) -> Box:
        """Returns the box with each edge moved a little, inside the picture."""
        dx1, dy1, dx2, dy2 = self._rng.normal(0, self._noise.jitter, 4).clip(-0.15, 0.15).tolist()
        wide, high = box.width, box.height
        moved = (box.x1 + dx1 * wide, box.y1 + dy1 * high, box.x2 + dx2 * wide, box.y2 + dy2 * high)
        return Box.of([round(value, 1) for value in moved]).clip(self._known.image.size)

    def _tag(self, request: TagRequest) -> TagResult:
        names = self._known.drawn.names
        best: dict[str, float] = {}
        for name, sure in zip(names, self._sure.tolist(), strict=True):
            best[name] = max(best.get(name, 0.0), sure)
        if self._rng.random() < self._noise.spurious_tags:
            other = categories()[int(self._rng.integers(len(categories())))].name
            best.setdefault(other, float(self._rng.uniform(USUAL, 0.55)))
        limit = USUAL if request.threshold is None else request.threshold
        rows = sorted(((value, name) for name, value in best.items() if value >= limit), reverse=True)
        return TagResult(
            tags=tuple(Tag(label=name, score=_score(value, "tagger")) for value, name in rows[: request.top])
        )

    def _ground(self, request: GroundRequest) -> GroundResult:
        limit = USUAL if request.threshold is None else request.threshold
        phrases = tuple(self._phrase(phrase, limit, request.top) for phrase in request.phrases)
        everything: list[Detection] = []
        if request.everything:
            for thing, name in enumerate(self._known.drawn.names):
                if self._sure[thing] >= limit:
                    said = self._confused(name)
                    everything.append(_detection(self._seen[thing], float(self._sure[thing]), said))
            if limit < USUAL:
                everything += self._strays(limit)
            everything.sort(key=lambda one: -one.score.value)
        return GroundResult(phrases=phrases, everything=tuple(everything[: request.top]))

    def _strays(self, limit: float) -> list[Detection]:
        """Returns the boxes that a faint look at everything gets wrong."""
        found = []
        for _ in range(int(self._rng.poisson(STRAYS * self._noise.spurious))):
            sure = float(self._rng.uniform(0, USUAL))
            if sure >= limit:
                name = categories()[int(self._rng.integers(len(categories())))].name
                found.append(_detection(self._anywhere(), sure, name))
        return found

    def _confused(self, name: str) -> str:
        if self._rng.random() >= self._noise.confused:
            return name
        return categories()[int(self._rng.integers(len(categories())))].name

    def _phrase(self, phrase: str, limit: float, top: int) -> PhraseBoxes:
        kinds = fits(phrase)
        if not kinds:
            return PhraseBoxes(phrase=phrase, status="not_covered", note="not a name that is known here")
        if phrase not in self._spurious:
            self._spurious[phrase] = self._wrong(kinds)
        things = [k for k, number in enumerate(self._known.drawn.classes.tolist()) if number in kinds]
        rows = [(self._seen[thing], float(self._sure[thing])) for thing in things]
        rows = sorted(
            (row for row in [*rows, *self._spurious[phrase]] if row[1] >= limit), key=lambda row: -row[1]
        )
        name = categories()[min(kinds)].name if len(kinds) == 1 else phrase
        found = tuple(_detection(box, sure, name) for box, sure in rows[:top])
        return PhraseBoxes(phrase=phrase, status="found" if found else "absent", detections=found)

    def _wrong(self, kinds: frozenset[int]) -> list[tuple[Box, float]]:
        """Returns boxes that a detector would get wrong: other things, parts of the right one, nothing."""
        scene, rows = self._known.drawn, []
        others = [k for k, number in enumerate(scene.classes.tolist()) if number not in kinds]
        for _ in range(int(self._rng.poisson(self._noise.spurious))):
            sure = float(self._rng.uniform(FAINT / 2, 0.62))
            if others and self._rng.random() < 0.7:
                rows.append(
                    (self._moved(self._known.boxes[others[int(self._rng.integers(len(others)))]]), sure)
                )
            else:
                rows.append((self._anywhere(), sure * 0.8))
        for thing, number in enumerate(scene.classes.tolist()):
            if number in kinds and self._rng.random() < self._noise.doubled:
                box = self._known.boxes[thing]
                part = Box.of((box.x1, box.y1, box.x1 + 0.6 * box.width, box.y1 + 0.6 * box.height))
                rows.append((self._moved(part), float(self._rng.uniform(USUAL, 0.6))))
        return rows

    def _anywhere(self) -> Box:
        size = self._known.image.size
        wide, high = (self._rng.uniform(0.1, 0.4, 2) * (size.width, size.height)).tolist()
        x, y = self._rng.uniform(0, size.width - wide), self._rng.uniform(0, size.height - high)
        return Box.of([round(float(value), 1) for value in (x, y, x + wide, y + high)]).clip(size)

    def _segment(self, request: SegmentRequest) -> SegmentResult:
        masks = []
        for box in request.boxes:
            ious = [box.iou(own) for own in self._known.boxes]
            pixels = np.zeros(self._known.drawn.owner.shape, bool)
            if ious and max(ious) > 0:
                pixels = self._known.drawn.mask(int(np.argmax(ious)))
            score = _score(0.93 if pixels.any() else 0.0, "mask")
            masks.append(ScoredMask(mask=Mask.from_array(pixels), score=score, method="imagined"))
        return SegmentResult(masks=tuple(masks))

    def _hear(self, request: HearRequest) -> HearResult:
        events = []
        for kind, span in zip(self._known.heard, self._known.times, strict=True):
            if self._rng.random() >= self._noise.missed_sounds:
                events.append(self._event(kind, span, 0.5 + 0.49 * self._rng.beta(3, 1.5)))
        if self._rng.random() < self._noise.spurious_sounds:
            start, length = self._rng.uniform(0, 3), self._rng.uniform(0.3, 1.5)
            end = min(start + length, request.audio.duration_s)
            if end > start:
                span = TimeSpan(start_s=round(start, 2), end_s=round(end, 2))
                other = KINDS[int(self._rng.integers(len(KINDS)))]
                events.append(self._event(other, span, self._rng.uniform(0.2, 0.5)))
        events.sort(key=lambda event: event.span.start_s)
        clip = self._known.clip
        silent = clip is not None and not clip.events and not np.any(clip.samples)
        return HearResult(events=() if silent else tuple(events[: request.top]), silent=silent)

    def _event(self, kind: str, span: TimeSpan, sure: float) -> SoundEvent:
        known, length = SOUNDING[NUMBERS[kind]], self._known.audio.seconds or 0.0
        moves = self._rng.normal(0, self._noise.time_jitter_s, 2)
        start, end = sorted(np.clip((span.start_s + moves[0], span.end_s + moves[1]), 0, length).tolist())
        return SoundEvent(
            label=known.label,
            span=TimeSpan(start_s=round(start, 2), end_s=round(end, 2)),
            score=_score(float(sure), "hearing"),
            parents=known.parents,
            class_id=known.class_id,
        )

    def _match(self, request: MatchRequest) -> MatchResult:
        pairs = [self._verdict(one.id, one.event, request) for one in request.heard]
        loudest = max(request.heard, key=lambda one: one.event.score.value, default=None)
        if loudest is None:
            return MatchResult(reason="nothing is heard")
        own = next(pair for pair in pairs if pair.sound == loudest.id)
        return MatchResult(
            pairs=tuple(pairs), overall=own.verdict, overall_score=own.score, reason=own.reason
        )

    def _verdict(self, sound: str, event: SoundEvent, request: MatchRequest) -> PairVerdict:
        """Returns the truth about one heard event, now and then undecided or wrong."""
        known = self._known
        makers = {
            thing
            for kind, things in zip(known.heard, known.sources, strict=False)
            if SOUNDING[NUMBERS[kind]].label == event.label
            for thing in things
        }
        boxes = [(one.id, one.names[0], one.box) for one in request.visible if one.box is not None]
        right = [row for row in boxes if any(row[2].iou(known.boxes[thing]) >= 0.5 for thing in makers)]
        fate = self._rng.random()
        if fate < self._noise.undecided or (fate < self._noise.undecided + self._noise.wrong and not boxes):
            return _pair(sound, None, "unknown", 0.12, f"what makes {event.label} cannot be told")
        if fate < self._noise.undecided + self._noise.wrong:
            row = boxes[int(self._rng.integers(len(boxes)))]
            return _pair(sound, row[0], "matched", 0.2, f"{row[1]} is nearest to {event.label}")
        if right:
            return _pair(sound, right[0][0], "matched", 0.41, f"{right[0][1]} is nearest to {event.label}")
        return _pair(sound, None, "unmatched", 0.02, f"nothing seen is near {event.label}")


def _score(value: float, kind: str) -> Score:
    return Score.model_validate({"value": round(float(value), 2), "kind": kind})


def _detection(box: Box, sure: float, name: str) -> Detection:
    return Detection(box=box, score=_score(sure, "detector"), name=name)


def _pair(sound: str, thing: str | None, verdict: Verdict, value: float, reason: str) -> PairVerdict:
    return PairVerdict(
        sound=sound, thing=thing, verdict=verdict, score=_score(value, "cosine"), reason=reason
    )
