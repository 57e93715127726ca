"""What a planner has seen, as the facts that the pipeline's writers put into words, with their references."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from deixis.answer import NotFound, Region, Score, Verdict
from deixis.geometry import Box, TimeSpan
from deixis.graphs.answering.draft import Draft
from deixis.graphs.answering.facts import Facts, Group, noun_of
from deixis.graphs.planning.protocol import Claim, Denial, Linked, NextStep, PlanRequest
from deixis.graphs.planning.seen import Seen, SeenBox
from deixis.graphs.turns.holding import held
from deixis.tools.hearing.protocol import ClipLabel
from deixis.tools.matching.protocol import MatchResult, PairVerdict
from deixis.tools.tagging.protocol import Tag

_SAME = 0.7
"""IoU from which a box of another look is the same place."""


@dataclass
class Known:
    """The facts, and for each region of a group the reference that it has in the run."""

    facts: Facts
    refs: dict[str, list[str]] = field(default_factory=dict)

    def ref(self, group: str, index: int) -> str:
        """Returns the reference of a region."""
        return self.refs[group][index]


def know(request: PlanRequest) -> Known:
    """Returns everything that the calls so far gave."""
    facts = Facts(images=list(request.images), has_audio=bool(request.audios))
    known = Known(facts)
    _things(known, request)
    _kept(known, request)
    _sounds(known, request)
    _tags(known, request)
    _match(known, request)
    return known


def _looks(request: PlanRequest) -> Iterable[Seen]:
    """Yields the looks that gave something, the latest first."""
    return (one for one in reversed(request.seen) if one.do in ("ground", "look") and not one.fault)


def _things(known: Known, request: PlanRequest) -> None:
    facts = known.facts
    rows: list[tuple[Group, Region, str]] = []
    groups: dict[str, Group] = {}
    places: list[tuple[str, Box]] = []
    looks = list(_looks(request))
    facts.looked = bool(looks)
    for asked in (True, False):
        answered: set[tuple[int, str]] = set()
        for look in looks:
            new = [box for box in look.boxes if box.asked == asked]
            image = facts.images[look.medium - 1]
            for box in new:
                region = Region(
                    media=image.digest,
                    box=Box.of(box.box),
                    score=Score(value=min(1.0, max(0.0, box.score)), kind="detector"),
                )
                key = box.phrase.casefold()
                if asked and (look.medium, key) in answered:
                    continue  # a later look has answered this phrase
                if not asked and _taken(places, image.digest, region):
                    continue
                group = groups.setdefault(key, Group("", "thing", box.phrase, (box.name, box.phrase)))
                group.asked = group.asked or asked
                rows.append((group, region, _ref(look, box)))
            answered |= {(look.medium, box.phrase.casefold()) for box in new}
            places += [(image.digest, Box.of(box.box)) for box in new]
    _number(known, "thing", rows)
    found = {group.label.casefold() for group in facts.things if group.asked}
    gone: dict[str, NotFound] = {}
    for look in looks:
        for phrases, reason in (
            (look.absent, "absent"),
            (look.not_covered, "not_covered"),
            (look.again, "absent"),
        ):
            for phrase in phrases:
                if phrase.casefold() not in found:
                    told = {"phrase": phrase, "medium": "image", "reason": reason}
                    gone.setdefault(phrase.casefold(), NotFound.model_validate(told))
    facts.not_found = list(reversed(gone.values()))


def _ref(look: Seen, box: SeenBox) -> str:
    return f"{look.call}#{box.number}"


def _taken(places: list[tuple[str, Box]], digest: str, region: Region) -> bool:
    return any(d == digest and region.box is not None and region.box.iou(b) >= _SAME for d, b in places)


def _number(known: Known, kind: str, rows: list[tuple[Group, Region, str]]) -> None:
    """Fills the groups with their regions and numbers them: those asked for first, then by strength."""
    groups: dict[int, Group] = {}
    refs: dict[int, list[str]] = {}
    for group, region, ref in rows:
        groups[id(group)] = group
        group.regions.append(region)
        refs.setdefault(id(group), []).append(ref)
    ordered = sorted(groups.values(), key=lambda group: (not group.asked, -group.best.value))
    for number, group in enumerate(ordered, 1):
        group.id = f"{kind}-{number}"
        known.refs[group.id] = refs[id(group)]
    if kind == "thing":
        known.facts.things = ordered
    else:
        known.facts.sounds = ordered


def _kept(known: Known, request: PlanRequest) -> None:
    """Adds what an earlier turn saw at a place that the question means, where no look of this run sees it."""
    for number, pin in enumerate(request.pins, 1):
        if not pin.entity or held(pin, known.facts.things) is not None:
            continue
        for one in request.seen:
            digest = known.facts.images[one.medium - 1].digest if one.do == "recall" and one.boxes else ""
            for box in one.boxes if digest == pin.media else ():
                if Box.of(box.box).iou(pin.box) >= _SAME:
                    score = Score(value=min(1.0, max(0.0, box.score)), kind="detector")
                    region = Region(media=digest, box=Box.of(box.box), score=score)
                    group = Group(f"kept-{number}", "thing", box.phrase, (box.phrase,), [region])
                    known.facts.things.append(group)
                    known.refs[group.id] = [_ref(one, box)]
                    break


def _sounds(known: Known, request: PlanRequest) -> None:
    facts = known.facts
    heard = {one.medium: one for one in request.seen if one.do == "hear" and not one.fault}
    facts.heard = bool(heard)
    facts.silent = bool(heard) and all(one.silent for one in heard.values())
    groups: dict[str, Group] = {}
    rows: list[tuple[Group, Region, str]] = []
    for medium, one in heard.items():
        audio = request.audios[medium - 1]
        facts.clip += [ClipLabel(label=label, score=Score(value=0.0, kind="none")) for label in one.clip]
        for sound in one.sounds:
            group = groups.setdefault(
                sound.label, Group("", "sound", sound.label, names=(sound.label, *sound.kinds))
            )
            span = TimeSpan(start_s=sound.start_s, end_s=max(sound.start_s, sound.end_s))
            score = Score(value=sound.score, kind="hearing")
            rows.append(
                (group, Region(media=audio.digest, span=span, score=score), f"{one.call}~{sound.number}")
            )
    _number(known, "sound", rows)


def _tags(known: Known, request: PlanRequest) -> None:
    facts = known.facts
    boxed = {name.casefold() for group in facts.things for name in group.names}
    for one in request.seen:
        if one.do != "tag" or one.fault:
            continue
        image = facts.images[one.medium - 1]
        for tag in one.tags:
            score = Score(value=tag.score, kind="tagger")
            facts.tags.append(Tag(label=tag.label, score=score, kinds=tag.kinds))
            if boxed & {tag.label.casefold(), *tag.kinds}:
                continue
            whole = Box(x1=0, y1=0, x2=image.size.width, y2=image.size.height)
            group = Group(f"tag-{len(facts.tags)}", "thing", tag.label, (tag.label, *tag.kinds))
            group.regions = [Region(media=image.digest, box=whole, score=score)]
            known.refs[group.id] = [f"{one.call}^{tag.number}"]
            facts.whole.append(group)
    for gone in facts.not_found:
        for group in facts.whole:
            if gone.reason == "not_covered" and group.label.casefold() == noun_of(gone.phrase):
                group.asked = True
    named = {group.label.casefold() for group in facts.whole if group.asked}
    facts.not_found = [gone for gone in facts.not_found if noun_of(gone.phrase) not in named]


def _match(known: Known, request: PlanRequest) -> None:
    compared = [one for one in request.seen if one.do == "match" and not one.fault]
    if not compared:
        return
    last = compared[-1]
    owner = {ref: group for group, refs in known.refs.items() for ref in refs}
    score = Score(value=0.0, kind="none")
    pairs: list[PairVerdict] = []
    for pair in last.pairs:
        sound, thing = owner.get(pair.sound), owner.get(pair.thing) or _same_place(known, request, pair.thing)
        if sound is not None and (pair.verdict != "matched" or thing is not None):
            told = {"sound": sound, "thing": thing, "verdict": pair.verdict}
            pairs.append(PairVerdict.model_validate({**told, "score": score, "reason": pair.reason}))
    overall: Verdict = last.overall or "unknown"  # type: ignore[assignment]
    known.facts.match = MatchResult(pairs=tuple(pairs), overall=overall, reason=last.reason)


def _same_place(known: Known, request: PlanRequest, ref: str) -> str | None:
    """Returns the group that has a region where the box of another look, left out of the facts, is."""
    call, _, number = ref.partition("#")
    for one in request.seen:
        if one.call == call and number.isdigit() and int(number) <= len(one.boxes):
            box = Box.of(one.boxes[int(number) - 1].box)
            for group in known.facts.things:
                if any(region.box is not None and region.box.iou(box) >= _SAME for region in group.regions):
                    return group.id
    return None


def as_step(draft: Draft, known: Known) -> NextStep:
    """Returns a draft as the step that answers."""
    claims = []
    for anchor in draft.anchors:
        chosen = draft.chosen.get(anchor.id)
        whole, _, index = anchor.id.partition("/")
        refs = known.refs.get(whole, [])
        refs = [refs[int(index)]] if index and refs else refs
        picked = refs if chosen is None else [refs[place] for place in chosen]
        claims.append(Claim(phrase=draft.text[anchor.start : anchor.end], refs=tuple(picked[:64])))
    return NextStep(
        kind="answer",
        text=draft.text or "I have nothing to say.",
        claims=tuple(claims),
        denials=tuple(
            Denial(
                phrase=gone.phrase[:300] or "it",
                medium=_medium(gone),
                reason=gone.reason,
                note=gone.note[:300],
            )
            for gone in draft.not_found
        ),
        linked=tuple(_linked(known, draft)),
        status=draft.status,
    )


def _medium(gone: NotFound) -> str:
    return "audio" if gone.medium == "audio" else "image"


def _linked(known: Known, draft: Draft) -> Iterable[Linked]:
    for pair in known.facts.match.pairs if known.facts.match is not None else ():
        if pair.sound in draft.groups and pair.verdict != "unknown":
            thing = known.ref(pair.thing, 0) if pair.thing else ""
            yield Linked(sound=known.ref(pair.sound, 0), thing=thing, verdict=pair.verdict)
