"""What a run has found, gathered from its calls: things, sounds, tags, what is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from deixis.answer import Evidence, NotFound, Region, Score, Verdict
from deixis.geometry import Box
from deixis.graphs.context import RunContext, asked_of, audio_refs, image_refs
from deixis.graphs.rules.expressions import Expression
from deixis.graphs.state import RunState
from deixis.graphs.turns.holding import held
from deixis.media.refs import ImageRef
from deixis.tools.detection.protocol import Detection, GroundResult, PhraseBoxes
from deixis.tools.hearing.protocol import ClipLabel, HearResult, SoundEvent
from deixis.tools.matching.protocol import MatchResult
from deixis.tools.tagging.protocol import Tag, TagResult
from deixis.tools.words.morphology import singular
from deixis.tools.words.phrases import strip_determiners


@dataclass
class Group:
    """All regions of one label: 'dog' with two boxes, 'bark' with three spans."""

    id: str
    kind: Literal["thing", "sound"]
    label: str
    names: tuple[str, ...]
    regions: list[Region] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    asked: bool = False
    """The question names it."""

    @property
    def best(self) -> Score:
        """Returns the score of the strongest region."""
        return max((region.score for region in self.regions), key=lambda score: score.value)

    def only(self, index: int) -> Group:
        """Returns one region as a group of its own, with its own score as evidence."""
        region = self.regions[index]
        evidence = [seen.model_copy(update={"score": region.score}) for seen in self.evidence[:1]]
        return Group(f"{self.id}/{index}", self.kind, self.label, self.names, [region], evidence, self.asked)


@dataclass
class Facts:
    """Everything the answer may speak of."""

    images: list[ImageRef]
    has_audio: bool
    things: list[Group] = field(default_factory=list)
    sounds: list[Group] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    clip: list[ClipLabel] = field(default_factory=list)
    silent: bool = False
    heard: bool = False
    """A hearing tool gave a result."""
    looked: bool = False
    """A detector gave a result."""
    not_found: list[NotFound] = field(default_factory=list)
    whole: list[Group] = field(default_factory=list)
    """Tags that no box stands for: named for the picture as a whole, not located."""
    choice: tuple[Group, int] | None = None
    """What a referring expression picks: the group and the region's index."""
    match: MatchResult | None = None
    match_evidence: Evidence | None = None

    def group(self, group_id: str) -> Group | None:
        """Returns the group with this id, or None; ``thing-2/1`` is one region of ``thing-2`` alone."""
        whole, _, index = group_id.partition("/")
        for group in [*self.things, *self.whole, *self.sounds]:
            if group.id == whole:
                return group.only(int(index)) if index else group
        return None

    @property
    def verdict(self) -> Verdict | None:
        """Returns the relation verdict over picture and sound; None where one of them is missing."""
        if not self.images or not self.has_audio:
            return None
        return self.match.overall if self.match else "unknown"


def gather(context: RunContext, state: RunState) -> Facts:
    """Returns the facts of a run so far."""
    facts = Facts(images=image_refs(state), has_audio=bool(audio_refs(state)))
    _things(facts, context, state)
    _kept(facts, context, state)
    _sounds(facts, context, state)
    _tags(facts, context, state)
    facts.match = context.seen(state, "match", MatchResult)
    if facts.match is not None:
        facts.match_evidence = context.evidence(state, "match", facts.match.overall_score)
    return facts


def _things(facts: Facts, context: RunContext, state: RunState) -> None:
    groups: dict[str, Group] = {}
    for index, image in enumerate(facts.images):
        key = f"ground:{index}"
        result = context.seen(state, key, GroundResult)
        if result is None:
            continue
        facts.looked = True
        for entry in result.phrases:
            if entry.status != "found":
                score = Score(value=0.0, kind="none")
                facts.not_found.append(
                    NotFound(
                        phrase=entry.phrase,
                        medium="image",
                        reason=entry.status,
                        evidence=(context.evidence(state, key, score, entry.note),),
                        note=entry.note,
                    )
                )
            for detection in entry.detections:
                note = _reading_note(entry)
                _add(groups, context, state, key, image, entry.phrase, detection, note, asked=True)
        asked = {(d.box, d.name) for entry in result.phrases for d in entry.detections}
        for detection in result.everything:
            if (detection.box, detection.name) not in asked:
                _add(groups, context, state, key, image, detection.name, detection, "", asked=False)
    found = {group.label.casefold() for group in groups.values() if group.asked}
    gone: dict[str, NotFound] = {}  # of several pictures, once
    for one in facts.not_found:
        if one.phrase.casefold() not in found:
            gone.setdefault(one.phrase.casefold(), one)
    facts.not_found = list(gone.values())
    facts.things = _numbered("thing", groups)


def _kept(facts: Facts, context: RunContext, state: RunState) -> None:
    """Adds what an earlier turn saw at a place that the question means, where this run sees nothing."""
    for number, pin in enumerate(asked_of(state).pins, 1):
        if not pin.entity or held(pin, facts.things) is not None:
            continue
        for entity in context.earlier[pin.turn - 1].entities if pin.turn <= len(context.earlier) else ():
            regions = [
                region for region in entity.regions if (region.media, region.box) == (pin.media, pin.box)
            ]
            if entity.id == pin.entity and regions and entity.evidence:
                note = f"seen in turn {pin.turn}"
                evidence = entity.evidence[0].model_copy(update={"step": 0, "note": note})
                region = regions[0].model_copy(update={"mask": None, "mask_score": None})
                names = (entity.label,)
                facts.things.append(
                    Group(f"kept-{number}", "thing", entity.label, names, [region], [evidence])
                )


def _add(
    groups: dict[str, Group],
    context: RunContext,
    state: RunState,
    key: str,
    image: ImageRef,
    label: str,
    detection: Detection,
    note: str,
    asked: bool,
) -> None:
    group = groups.setdefault(label.casefold(), Group("", "thing", label, names=(detection.name, label)))
    group.asked = group.asked or asked
    group.regions.append(
        Region(media=image.digest, box=detection.box.clip(image.size), score=detection.score)
    )
    if not group.evidence:
        group.evidence.append(context.evidence(state, key, detection.score, note))


def _tags(facts: Facts, context: RunContext, state: RunState) -> None:
    """Keeps the tags, and makes a group of each that is not boxed; `tag-3` is the third tag."""
    boxed = {name.casefold() for group in facts.things for name in group.names}
    for index, image in enumerate(facts.images):
        result = context.seen(state, f"tag:{index}", TagResult)
        for tag in result.tags if result else ():
            facts.tags.append(tag)
            if boxed & {tag.label.casefold(), *tag.kinds}:
                continue
            whole = Box(x1=0, y1=0, x2=image.size.width, y2=image.size.height)
            note = "named for the picture as a whole, not located"
            facts.whole.append(
                Group(
                    id=f"tag-{len(facts.tags)}",
                    kind="thing",
                    label=tag.label,
                    names=(tag.label, *tag.kinds),
                    regions=[Region(media=image.digest, box=whole, score=tag.score)],
                    evidence=[context.evidence(state, f"tag:{index}", tag.score, note)],
                )
            )
    for gone in facts.not_found:
        for group in facts.whole:
            if gone.reason == "not_covered" and group.label.casefold() == noun_of(gone.phrase):
                group.asked = True
    named = {group.label.casefold() for group in facts.whole if group.asked}
    facts.not_found = [gone for gone in facts.not_found if noun_of(gone.phrase) not in named]


def noun_of(phrase: str) -> str:
    """Returns the phrase without determiners, in the singular and in lower case, for comparing."""
    first, _, last = strip_determiners(phrase).casefold().rpartition(" ")
    return f"{first} {singular(last)}".strip()


def absent(expression: Expression, gone: Sequence[NotFound]) -> bool:
    """Returns whether what an expression names was looked for in vain: then nothing else is meant."""
    meant = {noun_of(expression.text), noun_of(expression.noun or expression.text)}
    return any(one.reason == "absent" and noun_of(one.phrase) in meant for one in gone)


def _reading_note(entry: PhraseBoxes) -> str:
    reading = entry.reading
    if reading is None or reading.kind in ("exact", "open"):
        return entry.note
    return f"{entry.phrase!r} is read as {reading.name!r} ({reading.kind}, {reading.score.value:.2f})"


def _sounds(facts: Facts, context: RunContext, state: RunState) -> None:
    groups: dict[str, Group] = {}
    audios = audio_refs(state)
    results = [context.seen(state, f"hear:{index}", HearResult) for index in range(len(audios))]
    for index, (audio, result) in enumerate(zip(audios, results, strict=True)):
        if result is None:
            continue
        facts.heard = True
        facts.clip += result.clip
        for event in result.events:
            names = (event.label, *event.parents)
            group = groups.setdefault(event.label, Group("", "sound", event.label, names=names))
            group.regions.append(Region(media=audio.digest, span=event.span, score=event.score))
            if not group.evidence:
                group.evidence.append(context.evidence(state, f"hear:{index}", event.score))
    facts.silent = bool(results) and all(result is not None and result.silent for result in results)
    facts.sounds = _numbered("sound", groups)


def _numbered(kind: str, groups: dict[str, Group]) -> list[Group]:
    """Returns the groups, those asked for first, then by strength, with ids counted from 1."""
    ordered = sorted(groups.values(), key=lambda group: (not group.asked, -group.best.value))
    for number, group in enumerate(ordered, 1):
        group.id = f"{kind}-{number}"
    return ordered


def sound_event(context: RunContext, state: RunState, group: Group) -> SoundEvent:
    """Returns the strongest event of a sound group, as the hearing tool gave it.

    Raises:
        KeyError: the group is not among what was heard.
    """
    for index in range(len(audio_refs(state))):
        result = context.seen(state, f"hear:{index}", HearResult)
        events = [event for event in result.events if event.label == group.label] if result else []
        if events:
            return max(events, key=lambda event: event.score.value)
    raise KeyError(group.id)
