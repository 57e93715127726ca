"""A turn that needs no media: answered from what was said and found before, without any tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph.runtime import Runtime

from deixis.answer import Entity, GroundedAnswer, Mention
from deixis.graphs.context import RunContext, asked_of, audio_refs, image_refs
from deixis.graphs.nodes.verify import _without_masks as without_masks
from deixis.graphs.state import RunState
from deixis.graphs.turns.finishing import finished
from deixis.graphs.turns.focus import spoken
from deixis.media.refs import MediaRef
from deixis.tools.words.morphology import article

CAN = {
    "tagging": "name what a picture shows",
    "detection": "look for things and box them",
    "segmentation": "outline them",
    "hearing": "say which sounds are heard, and when",
    "matching": "tell which visible thing makes a sound",
}
MOST = 24
"""Entities that a summary names, and questions that a list of them has."""


class Words:
    """A text under way; phrases that point carry the entity that they name."""

    def __init__(self, step: int) -> None:
        self.text = ""
        self.mentions: list[Mention] = []
        self.entities: dict[str, Entity] = {}
        self._step = step

    def say(self, words: str) -> Words:
        """Adds plain words."""
        self.text += words
        return self

    def point(self, words: str, entity: Entity, turn: int) -> Words:
        """Adds words that name an entity of an earlier turn, with its evidence of that turn."""
        start = len(self.text)
        self.text += words
        named = Mention(start=start, end=len(self.text), phrase=words, entities=(entity.id,))
        self.mentions.append(named)
        self.entities.setdefault(entity.id, remembered(entity, turn, self._step))
        return self


def remembered(entity: Entity, turn: int, step: int) -> Entity:
    """Returns an entity of an earlier turn; its evidence says so, and names the step that remembers it."""
    evidence = tuple(
        seen.model_copy(update={"step": step, "note": _with_turn(seen.note, turn)})
        for seen in entity.evidence
    )
    return entity.model_copy(update={"evidence": evidence})


def _with_turn(note: str, turn: int) -> str:
    """Returns a note that says in which turn it was seen; one that says so already as it is."""
    return note if "in turn " in note else f"{note}; seen in turn {turn}".removeprefix("; ")


async def converse(state: RunState, runtime: Runtime[RunContext]) -> dict[str, Any]:
    """Returns the answer to a turn that asks nothing of the media."""
    context = runtime.context
    talk = asked_of(state).talk
    with context.recorder.step(1, "answer", "No picture and no sound is needed.") as step:
        words = Words(step.index)
        _SAYS[talk](words, context, state)
        words.text = words.text.rstrip()
        step.text = words.text
    made = GroundedAnswer(
        run=state["run"],
        question=state.get("question", ""),
        text=words.text,
        status="complete",
        profile=context.recorder.record.profile,
        media=_media(context, state, words.entities.values()),
        entities=tuple(words.entities.values()),
        mentions=tuple(words.mentions),
    )
    made = finished(context, state, made)
    context.answer = made
    return {"answer": without_masks(made).model_dump(mode="json", exclude_none=True)}


def _media(context: RunContext, state: RunState, entities: Any) -> tuple[MediaRef, ...]:
    """Returns the media of the turn, and those that the entities lie in, which may have been replaced."""
    known = {ref.digest: ref for answer in context.earlier for ref in answer.media}
    refs: list[MediaRef] = [*image_refs(state), *audio_refs(state)]
    here: dict[str, MediaRef] = {ref.digest: ref for ref in refs}
    for entity in entities:
        for region in entity.regions:
            here.setdefault(region.media, known[region.media])
    return tuple(here.values())


def _greeting(words: Words, context: RunContext, state: RunState) -> None:
    words.say("Hello. Ask me about a picture or a sound, and I point at what I say. ")
    if not state.get("images") and not state.get("audios"):
        words.say("There is none yet: give me one. ")


def _thanks(words: Words, context: RunContext, state: RunState) -> None:
    words.say("You are welcome. ")


def _bye(words: Words, context: RunContext, state: RunState) -> None:
    words.say("Goodbye. ")


def _help(words: Words, context: RunContext, state: RunState) -> None:
    roles = context.toolbox.roles()
    can = [line for role, line in CAN.items() if role in roles]
    words.say("I answer questions about pictures and sounds, and point at what I say. ")
    if can:
        words.say(f"With the tools of this profile I can {_joined(can)}. ")
    words.say("In a conversation you can speak of what was named before: as it, as the other one, or as #2. ")


def _questions(words: Words, context: RunContext, state: RunState) -> None:
    asked = [answer.question.strip() or "(nothing: describe)" for answer in context.earlier]
    if len(asked) == 1:
        words.say(f"You have asked one thing: “{asked[0]}” ")
        return
    words.say(f"You have asked {len(asked)} things")
    words.say(": " if len(asked) <= MOST else f", the last {MOST} of them: ")
    rows = list(enumerate(asked, 1))[-MOST:]
    words.say("; ".join(f"{number}. “{one}”" for number, one in rows))


def _found(words: Words, context: RunContext, state: RunState) -> None:
    """Lists every entity of the conversation once, with the turn that it was first named in."""
    first: dict[str, int] = {}
    latest: dict[str, tuple[Entity, int]] = {}
    for turn, answer in enumerate(context.earlier, 1):
        for entity in answer.entities:
            if entity.supported:
                first.setdefault(entity.id, turn)
                latest[entity.id] = (entity, turn)
    if not latest:
        words.say("Nothing has been found so far. ")
    else:
        words.say("So far: ")
        shown = sorted(latest.values(), key=lambda row: row[0].number)[:MOST]
        for index, (entity, turn) in enumerate(shown):
            if index:
                words.say(" and " if index == len(shown) - 1 else ", ")
            _one(words, entity, turn)
            words.say(f" (turn {first[entity.id]})")
        words.say(". ")
    gone = dict.fromkeys(
        one.phrase for answer in context.earlier for one in answer.not_found if one.reason == "absent"
    )
    if gone:
        words.say(f"Looked for and not there: {', '.join(gone)}. ")


def _one(words: Words, entity: Entity, turn: int) -> None:
    many = len(entity.regions) if entity.kind == "thing" else 1
    label = spoken(entity.label.partition(",")[0] if entity.kind == "sound" else entity.label, many)
    words.say("" if entity.kind == "sound" else f"{many} " if many > 1 else f"{article(label)} ")
    words.point(label, entity, turn)


def _last(context: RunContext) -> tuple[GroundedAnswer, int] | None:
    """Returns the latest answer that named something, and its turn."""
    for turn in range(len(context.earlier), 0, -1):
        answer = context.earlier[turn - 1]
        if answer.entities or answer.not_found:
            return answer, turn
    return None


def _again(words: Words, context: RunContext, state: RunState) -> None:
    answer, turn = context.earlier[-1], len(context.earlier)
    for piece, named in answer.pieces():
        words.say(piece)
        for entity in named:
            words.entities.setdefault(entity.id, remembered(entity, turn, 1))
    words.mentions = list(answer.mentions)


def _why(words: Words, context: RunContext, state: RunState) -> None:
    """Says who saw what the last answer names."""
    last = _last(context)
    if last is None:
        words.say("So far I have named nothing that a tool saw or heard. ")
        return
    answer, turn = last
    for entity in answer.entities:
        label = spoken(entity.label, len(entity.regions) if entity.kind == "thing" else 1)
        words.say("The ").point(label, entity, turn)
        if not entity.supported:
            words.say(": nothing saw or heard it; take it for unproved. ")
            continue
        seen = entity.evidence[0]
        sure = "" if seen.score.kind == "none" else f" ({seen.score.kind} {seen.score.value:.2f})"
        words.say(f": {seen.tool} {'heard' if entity.kind == 'sound' else 'saw'} it{sure}. ")
    for gone in answer.not_found:
        looked = (
            f"{gone.evidence[0].tool} looked and found none" if gone.evidence else "nothing looked for it"
        )
        words.say(f"{gone.phrase[:1].upper()}{gone.phrase[1:]}: {looked}. ")


def _given(words: Words, context: RunContext, state: RunState) -> None:
    lines = [f"picture {number} {ref.name}".strip() for number, ref in enumerate(image_refs(state), 1)]
    lines += [f"sound {number} {ref.name}".strip() for number, ref in enumerate(audio_refs(state), 1)]
    if not lines:
        words.say("There is no picture and no sound here. ")
        return
    words.say(f"There {'is' if len(lines) == 1 else 'are'} {_joined(lines)}. ")


def _joined(parts: Sequence[str]) -> str:
    """Returns 'a', 'a and b', 'a, b, and c': the parts have commas and 'and' of their own."""
    if len(parts) < 3:
        return " and ".join(parts)
    return f"{', '.join(parts[:-1])}, and {parts[-1]}"


_SAYS = {
    "greeting": _greeting, "thanks": _thanks, "bye": _bye, "help": _help, "questions": _questions,
    "found": _found, "again": _again, "why": _why, "media": _given,
}  # fmt: skip
