"""Samples as tokens.

The serial form, which a grammar can hold a decoder to (`docs/pocket_mllm.md`)::

    dialogue  = picture* sound* turn+
    turn      = <|user|> words [<|write|> | <|choose|>] <|end|> [observation] step* answer
    step      = <|step_KIND|> (call observation)* (words | reference)* <|end|>
    call      = <|call|> <|ROLE|> [medium] [argument (";" argument)*] <|end_call|>
    argument  = words | region                                  phrases of detection, boxes of segmentation
    reference = <|ref|> words <|end_ref|> [medium] region*
    region    = <x1_N> <y1_N> <x2_N> <y2_N> | <t1_N> <t2_N> | "#" N

What tools say (``<|observe|> … <|end_observe|>``) is context: the host writes it behind each call, or, in
stage U, behind a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deixis.geometry import Box, Size
from deixis.learned.mllm.observing import Scene, observe, offer
from deixis.learned.mllm.serial import Encoded, Pointing, Slot, Writer
from deixis.learned.mllm.tokens import (
    CALL,
    CALLS,
    CHOOSE,
    END,
    END_CALL,
    END_REF,
    EOS,
    MEDIA,
    MOST_PROPOSALS,
    PICTURE,
    REF,
    SOUND,
    STEPS,
    USER,
    WRITE,
    box_tokens,
    span_tokens,
)
from deixis.learned.scout.proposals import Proposal
from deixis.learned.scout.sample import Sample, SampleMedium
from deixis.trace import Action, Span, Step

SAME = 0.5
"""IoU from which a proposal is the thing that a box means."""
PICTURE_TOKENS, SOUND_TOKENS = 29, 14
"""Places of a picture and a sound by the default of `PocketConfig`."""


def encode(
    samples: Sample | Sequence[Sample],
    tokenizer: Any,
    pointing: Pointing = "coordinates",
    picture_tokens: int = PICTURE_TOKENS,
    sound_tokens: int = SOUND_TOKENS,
) -> Encoded:
    """Returns a sample as tokens; several samples of the same media as turns of one dialogue.

    Args:
        samples: one, or several whose media are the same.
        tokenizer: of `build_tokenizer`.
        pointing: how regions are written.
        picture_tokens: places of a picture (`PocketConfig.picture_tokens`).
        sound_tokens: places of a sound.

    Raises:
        ValueError: the samples are about different media.
    """
    several = [samples] if isinstance(samples, Sample) else list(samples)
    media = several[0].media
    if any(sample.media != media for sample in several):
        raise ValueError("the turns of a dialogue are about the same media")
    writer = begun(tokenizer, media, picture_tokens, sound_tokens)
    for sample in several:
        _asked(writer, sample.question, pointing)
        scene = Scene(media)
        for step in sample.steps:
            _step(writer, step, scene, pointing)
    writer.token(EOS, said=False)
    return writer.done()


def only_answer(sample: Sample) -> Sample:
    """Returns the sample without its steps and calls: the answer at once, as the model sees it by itself."""
    answer = sample.steps[-1].model_copy(update={"index": 0, "actions": (), "observations": ()})
    return sample.model_copy(update={"steps": (answer,)})


def encode_turn(
    question: str,
    answer: str,
    tokenizer: Any,
    media: Sequence[SampleMedium] = (),
    picture_tokens: int = PICTURE_TOKENS,
    sound_tokens: int = SOUND_TOKENS,
    spans: Sequence[Span] | None = None,
    offered: Sequence[Proposal] = (),
) -> Encoded:
    """Returns a question and its answer as tokens; `spans` None asks for none, as plain questions do.

    Where proposals are on offer they are read behind the question, and regions are their numbers.
    """
    writer, scene = begun(tokenizer, media, picture_tokens, sound_tokens), Scene(media)
    pointing: Pointing = "proposals" if offered else "coordinates"
    _asked(writer, question, None if spans is None else pointing)
    if offered:
        offer(writer, offered, scene)
    step = Step(index=0, kind="answer", text=answer, spans=tuple(spans or ()))
    _step(writer, step, scene, pointing)
    return writer.done()


def prompt(
    question: str,
    steps: Sequence[Step],
    media: Sequence[SampleMedium],
    tokenizer: Any,
    pointing: Pointing | None = None,
    picture_tokens: int = PICTURE_TOKENS,
    sound_tokens: int = SOUND_TOKENS,
) -> Encoded:
    """Returns the tokens after which the model writes the next step, or goes on with the last one.

    A last step without words, whose calls have been answered, is left open: the model writes its words.
    `pointing` None asks for no regions.
    """
    writer = begun(tokenizer, media, picture_tokens, sound_tokens)
    _asked(writer, question, pointing)
    scene = Scene(media)
    for number, step in enumerate(steps):
        still_open = number == len(steps) - 1 and not step.text and bool(step.actions)
        _step(writer, step, scene, pointing or "coordinates", closed=not still_open)
    return writer.done()


def begun(tokenizer: Any, media: Sequence[SampleMedium], picture_tokens: int, sound_tokens: int) -> Writer:
    """Returns a writer with the places of the media: pictures first, then sounds."""
    writer = Writer(tokenizer)
    pictures = sum(medium.kind == "image" for medium in media)
    for number in range(pictures):
        writer.slots.append(Slot("picture", number))
        writer.token(*[PICTURE] * picture_tokens, said=False)
    for number in range(len(media) - pictures):
        writer.slots.append(Slot("sound", number))
        writer.token(*[SOUND] * sound_tokens, said=False)
    writer.prefix = len(writer.ids)
    return writer


def _asked(writer: Writer, question: str, pointing: Pointing | None) -> None:
    writer.turns.append(len(writer.ids))
    writer.token(USER, said=False)
    writer.text(question, said=False)
    if pointing is not None:
        writer.token(WRITE if pointing == "coordinates" else CHOOSE, said=False)
    writer.token(END, said=False)


def _step(writer: Writer, step: Step, scene: Scene, pointing: Pointing, closed: bool = True) -> None:
    writer.begin(step.kind)
    writer.token(STEPS[step.kind], said=True)
    given = {seen.call: seen for seen in step.observations}
    for action in step.actions:
        _call(writer, action, scene, pointing)
        if action.call in given:
            observe(writer, action, given[action.call], scene)
    at = 0
    for span in sorted(step.spans, key=lambda one: (one.start, one.end)):
        if span.start < at or span.end > len(step.text) or not step.text[span.start : span.end].strip():
            continue  # spans that overlap or lie outside have no serial form
        writer.text(step.text[at : span.start], said=True)
        writer.token(REF, said=True)
        writer.text(step.text[span.start : span.end], said=True)
        writer.token(END_REF, said=True)
        _regions(writer, span, scene, pointing)
        at = span.end
    writer.text(step.text[at:], said=True)
    if closed:
        writer.token(END, said=True)
    writer.end()


def _regions(writer: Writer, span: Span, scene: Scene, pointing: Pointing) -> None:
    size, seconds = scene.size(span.media), scene.seconds(span.media)
    if span.media and scene.many:
        writer.token(MEDIA[min(scene.number(span.media), len(MEDIA) - 1)], said=True)
    for box in span.boxes:
        if size is not None:
            writer.token(*region(box, size, scene.proposals, pointing), said=True)
    for time in span.times:
        if seconds is not None:
            writer.token(*span_tokens(time, seconds), said=True)


def region(box: Box, size: Size, proposals: Sequence[Proposal], pointing: Pointing) -> list[str]:
    """Returns the tokens of a box: the number of the proposal that fits best, or its coordinates."""
    if pointing == "proposals" and proposals:
        best = max(proposals, key=lambda one: one.box.iou(box))
        if best.box.iou(box) >= SAME and best.number <= MOST_PROPOSALS:
            return [f"#{best.number}"]
    return box_tokens(box, size)


def _call(writer: Writer, action: Action, scene: Scene, pointing: Pointing) -> None:
    if action.role not in CALLS:
        return
    writer.token(CALL, CALLS[action.role], said=True)
    asked: dict[str, Any] = action.input
    named = asked.get("image") or asked.get("audio") or {}
    if scene.many and isinstance(named, dict) and named.get("digest"):
        writer.token(MEDIA[min(scene.number(str(named["digest"])), len(MEDIA) - 1)], said=True)
    for number, phrase in enumerate(asked.get("phrases") or ()):
        writer.text(";" if number else "", said=True)
        writer.text(str(phrase), said=True)
    if asked.get("everything"):
        writer.text("everything", said=True)
    size = scene.size("")
    if action.role == "segmentation" and size is not None:
        for number, box in enumerate(asked.get("boxes") or ()):
            writer.text(";" if number else "", said=True)
            writer.token(*region(Box.model_validate(box), size, scene.proposals, pointing), said=True)
    writer.token(END_CALL, said=True)
