"""Tokens read back as a step of a trace, whatever the model wrote; what could not be read is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deixis.geometry import Box, Size, TimeSpan
from deixis.learned.mllm.tokenizer import spoken
from deixis.learned.mllm.tokens import (
    CALL,
    CALLS,
    COORDINATES,
    EDGES,
    END,
    END_CALL,
    END_OBSERVE,
    END_REF,
    EOS,
    MEDIA,
    OBSERVE,
    REF,
    SPECIAL,
    STEPS,
    TIMES,
    box_of,
    time_of,
    value_of,
)
from deixis.learned.scout.proposals import Proposal
from deixis.learned.scout.sample import SampleMedium
from deixis.trace import Action, Span, Step, StepKind

OPEN, CLOSE = "\ue000", "\ue001"
_KIND_OF = {token: kind for kind, token in STEPS.items()}
_ODD = frozenset({*SPECIAL, *COORDINATES})
_ROLE_OF = {token: role for role, token in CALLS.items()}


@dataclass(frozen=True)
class ReadStep:
    """A step, what could not be read of it, and whether it waits for the answer of its last call."""

    step: Step
    diagnostics: tuple[str, ...] = ()
    waiting: bool = False


@dataclass
class _Reference:
    boxes: list[Box] = field(default_factory=list)
    times: list[TimeSpan] = field(default_factory=list)
    media: str = ""


class _Reader:
    def __init__(
        self, tokenizer: Any, media: Sequence[SampleMedium], proposals: Sequence[Proposal], index: int
    ) -> None:
        self.tokenizer, self.index = tokenizer, index
        self.images = [medium for medium in media if medium.kind == "image"]
        self.sounds = [medium for medium in media if medium.kind == "audio"]
        self.proposals = {one.number: one for one in proposals}
        self.told: list[str] = []
        self.parts: list[str] = []
        self.words: list[str] = []
        self.references: list[_Reference] = []
        self.actions: list[Action] = []
        self.referring = self.closed = self.waiting = False

    def size(self) -> Size | None:
        return self.images[0].size if self.images else None

    def flush(self) -> None:
        if self.words:
            self.parts.append(self.tokenizer.convert_tokens_to_string(self.words))
            self.words = []

    def take(self, tokens: Sequence[str], at: int) -> int:
        """Returns where to go on after the token at `at`, and what belongs to it."""
        token = tokens[at]
        self.waiting = False
        if token in (END, EOS):
            self.closed = True
        elif token == CALL:
            after, self.waiting = self.call(tokens, at + 1)
            return after
        elif token == OBSERVE:
            stops = (place + 1 for place in range(at, len(tokens)) if tokens[place] == END_OBSERVE)
            return next(stops, len(tokens))
        elif token == REF:
            self.open()
        elif token == END_REF:
            return self.close(tokens, at + 1)
        elif token in _ODD:
            self.told.append(f"token.misplaced: {token}")
        else:
            self.words.append(token)
        return at + 1

    def open(self) -> None:
        """Begins a reference."""
        if self.referring:
            self.told.append("reference.nested: a reference inside of one")
            return
        self.flush()
        self.parts.append(OPEN)
        self.referring = True

    def close(self, tokens: Sequence[str], at: int) -> int:
        """Returns where the regions of the reference that ends here end."""
        if not self.referring:
            self.told.append("reference.end: nothing was referred to")
            return at
        self.flush()
        self.parts.append(CLOSE)
        self.referring = False
        return self.reference(tokens, at)

    def region(self, tokens: Sequence[str], at: int, into: _Reference) -> int:
        """Returns how many tokens from `at` on are a region, which is put down; 0 where there is none."""
        token = tokens[at]
        number = token[1:]
        if token[:1] == "#" and number.isdigit():
            found = self.proposals.get(int(number))
            if found is None:
                self.told.append(f"region.unknown: there is no proposal {token}")
            else:
                into.boxes.append(found.box)
            return 1
        for families, medium in ((EDGES, self.size()), (TIMES, self.sounds)):
            if not any(value_of(token, family) is not None for family in families):
                continue
            part = tokens[at : at + len(families)]
            values = [value_of(one, family) for one, family in zip(part, families, strict=False)]
            if len(values) < len(families) or any(value is None for value in values) or not medium:
                self.told.append(f"region.broken: {' '.join(part)}")
                return max(1, sum(one is not None for one in values))
            known = [value for value in values if value is not None]
            try:
                if isinstance(medium, Size):
                    into.boxes.append(box_of(known, medium))
                else:
                    into.times.append(time_of(known, self.sounds[0].seconds or 0.0))
            except ValueError as error:
                self.told.append(f"region.empty: {error}")
            return len(families)
        return 0

    def reference(self, tokens: Sequence[str], at: int) -> int:
        """Returns where the regions behind a reference end."""
        own = _Reference()
        while at < len(tokens):
            if tokens[at] in MEDIA:
                number = MEDIA.index(tokens[at])
                own.media = self.images[number].digest if number < len(self.images) else ""
                at += 1
                continue
            length = self.region(tokens, at, own)
            if not length:
                break
            at += length
        self.references.append(own)
        return at

    def call(self, tokens: Sequence[str], at: int) -> tuple[int, bool]:
        """Returns where a call ends, and whether it was closed."""
        stop = next((place for place in range(at, len(tokens)) if tokens[place] == END_CALL), len(tokens))
        body = list(tokens[at:stop])
        role = _ROLE_OF.get(body[0]) if body else None
        if role is None:
            self.told.append(f"call.role: {' '.join(body[:3]) or 'nothing'} is no tool")
            return stop + 1, stop < len(tokens)
        asked: dict[str, Any] = {}
        arguments, boxes = self.arguments(body[1:])
        if role == "detection":
            phrases = [one for one in arguments if one != "everything"]
            asked = {"phrases": phrases} if phrases else {"everything": True}
        elif role == "segmentation":
            asked = {"boxes": [box.model_dump(mode="json") for box in boxes]}
        asked |= self.medium(role, body)
        number = len(self.actions) + 1
        self.actions.append(Action(call=f"{self.index}.{number}", role=role, tool="", input=asked))
        return stop + 1, stop < len(tokens)

    def medium(self, role: str, body: Sequence[str]) -> dict[str, Any]:
        """Returns which medium a call names, as tools are asked for it; nothing where it names none."""
        number = next((MEDIA.index(token) for token in body if token in MEDIA), None)
        kind, several = ("audio", self.sounds) if role == "hearing" else ("image", self.images)
        return {} if number is None or number >= len(several) else {kind: {"digest": several[number].digest}}

    def arguments(self, body: Sequence[str]) -> tuple[list[str], list[Box]]:
        """Returns the phrases and the boxes of a call, each phrase once."""
        phrases: list[list[str]] = [[]]
        places = _Reference()
        at = 0
        while at < len(body):
            length = self.region(body, at, places)
            if length or body[at] in SPECIAL:
                at += max(1, length)
                continue
            if body[at] == ";":
                phrases.append([])
            else:
                phrases[-1].append(body[at])
            at += 1
        said = [self.tokenizer.convert_tokens_to_string(words).strip() for words in phrases if words]
        return [phrase for phrase in dict.fromkeys(said) if phrase], places.boxes


def read_step(
    ids: Sequence[int],
    tokenizer: Any,
    media: Sequence[SampleMedium] = (),
    proposals: Sequence[Proposal] = (),
    index: int = 0,
) -> ReadStep:
    """Returns the step that the tokens `ids` are, from its kind on; what follows its end is left off.

    A tool's name is empty in the actions: who runs the step knows its tools. Nothing raises: tokens without
    sense are left out and told in `diagnostics`.

    Args:
        ids: what the model wrote.
        tokenizer: its tokenizer.
        media: of the dialogue, for sizes and lengths.
        proposals: on offer.
        index: of the step.
    """
    tokens: list[str] = [token or "" for token in tokenizer.convert_ids_to_tokens(list(ids))]
    reader = _Reader(tokenizer, media, proposals, index)
    kind: StepKind = "answer"
    at = 0
    if tokens and tokens[0] in _KIND_OF:
        kind, at = _KIND_OF[tokens[0]], 1
    else:
        reader.told.append("step.kind: it does not begin with one")
    while at < len(tokens) and not reader.closed:
        at = reader.take(tokens, at)
    reader.flush()
    if reader.referring:
        reader.told.append("reference.open: it does not end")
        reader.parts.append(CLOSE)
        reader.references.append(_Reference())
    if not reader.closed and not reader.waiting:
        reader.told.append("step.open: it does not end")
    text, spans = _spans(" ".join(reader.parts), reader.references, reader.told)
    step = Step(index=index, kind=kind, text=text, spans=spans, actions=tuple(reader.actions))
    return ReadStep(step, tuple(reader.told), reader.waiting)


def _spans(marked: str, references: Sequence[_Reference], told: list[str]) -> tuple[str, tuple[Span, ...]]:
    """Returns the text without the marks of references, and the spans that they are."""
    tidy = spoken(marked.replace(f"{OPEN} ", OPEN).replace(f" {CLOSE}", CLOSE))
    text, spans, start = "", [], 0
    waiting = list(references)
    for sign in tidy:
        if sign == OPEN:
            start = len(text)
        elif sign == CLOSE:
            own = waiting.pop(0)
            if len(text) == start:
                told.append("reference.empty: it has no words")
                continue
            spans.append(
                Span(
                    start=start,
                    end=len(text),
                    phrase=text[start:],
                    boxes=tuple(own.boxes),
                    times=tuple(own.times),
                    media=own.media,
                )
            )
        else:
            text += sign
    return text, tuple(spans)
