"""Answers to draw, with media in a store: a drawn scene, and the bundled photos."""

from __future__ import annotations

from typing import Any

import numpy as np

from deixis.answer import (
    Entity,
    Evidence,
    GroundedAnswer,
    Mention,
    NotFound,
    Problem,
    Region,
    Relation,
    Score,
)
from deixis.geometry import Box, Mask, TimeSpan
from deixis.media.refs import AudioRef, ImageRef


def evidence(tool: str, value: float, kind: Any, step: int = 1, note: str = "") -> Evidence:
    return Evidence(
        tool=tool, version="1", weights_digest=None, step=step, score=Score(value=value, kind=kind), note=note
    )


def disc(size_wh: tuple[int, int], box: Box) -> Mask:
    """A filled ellipse in `box`."""
    rows, columns = np.mgrid[: size_wh[1], : size_wh[0]] + 0.5
    x, y = box.center
    inside = ((columns - x) / (box.width / 2)) ** 2 + ((rows - y) / (box.height / 2)) ** 2 <= 1
    return Mask.from_array(inside)


def thing(number: int, label: str, ref: ImageRef, *boxes: Box, mask: bool = True) -> Entity:
    size = (ref.size.width, ref.size.height)
    regions = tuple(
        Region(
            media=ref.digest,
            box=box,
            mask=disc(size, box) if mask else None,
            score=Score(value=0.9, kind="detector"),
            mask_score=Score(value=0.8, kind="mask") if mask else None,
        )
        for box in boxes
    )
    return Entity(
        id=f"thing-{number}",
        number=number,
        kind="thing",
        label=label,
        regions=regions,
        evidence=(evidence("detection/scripted", 0.9, "detector", 2),) if boxes else (),
        supported=bool(boxes),
    )


def sound(number: int, label: str, ref: AudioRef, *spans: tuple[float, float]) -> Entity:
    regions = tuple(
        Region(
            media=ref.digest,
            span=TimeSpan(start_s=start, end_s=end),
            score=Score(value=0.7, kind="hearing"),
        )
        for start, end in spans
    )
    return Entity(
        id=f"sound-{number}",
        number=number,
        kind="sound",
        label=label,
        regions=regions,
        evidence=(evidence("hearing/scripted", 0.7, "hearing", 3),),
        supported=True,
    )


def scene(width: int = 640, height: int = 480) -> np.ndarray:
    """A plain ground with grain, so that every unchanged pixel can be told."""
    rng = np.random.default_rng(5)
    return rng.integers(100, 156, (height, width, 3), dtype=np.uint8)


def answer_of(text: str, entities: list[Entity], media: list[Any], **more: Any) -> GroundedAnswer:
    """An answer in whose text every entity's label is a mention, where it stands there."""
    mentions, at = [], 0
    for entity in sorted(entities, key=lambda e: text.find(e.label)):
        start = text.find(entity.label, at)
        if start >= 0:
            at = start + len(entity.label)
            mentions.append(Mention(start=start, end=at, phrase=entity.label, entities=(entity.id,)))
    facts = {"run": "run-1", "question": "What is here?", "status": "complete", "profile": "sketch"}
    return GroundedAnswer(
        text=text,
        entities=tuple(entities),
        mentions=tuple(mentions),
        media=tuple(media),
        **{**facts, **more},
    )


def yard(store: Any) -> GroundedAnswer:
    """A realistic answer over a picture and a sound, with everything an answer can hold."""
    image = store.add_image(scene()).model_copy(update={"name": "yard.png"})
    times = np.arange(16_000 * 4) / 16_000
    tone = np.where((times % 2) < 0.4, 0.4 * np.sin(2 * np.pi * 500 * times), 0).astype(np.float32)
    audio = store.add_audio((tone, 16_000)).model_copy(update={"name": "bark.wav"})
    entities = [
        thing(1, "the dog", image, Box(x1=60, y1=80, x2=260, y2=400), Box(x1=520, y1=300, x2=630, y2=470)),
        thing(2, "a ball", image, Box(x1=350, y1=300, x2=420, y2=370), mask=False),
        sound(3, "barking", audio, (0.0, 0.4), (2.0, 2.4)),
        thing(4, "a unicorn", image),
    ]
    return answer_of(
        "I hear barking; it comes from the dog beside a ball, not a unicorn. 🐕",
        entities,
        [image, audio],
        question="What is making this sound?",
        status="degraded",
        relation="matched",
        relations=(
            Relation(
                sound="sound-3",
                thing="thing-1",
                verdict="matched",
                evidence=(evidence("matching/scripted", 0.9, "lexical", 7),),
                reason="a dog barks",
            ),
        ),
        not_found=(
            NotFound(phrase="unicorn", medium="image", reason="not_covered", note="no tool knows it"),
        ),
        problems=(
            Problem(
                code="tool.timeout",
                message="The tagger took longer than 60 s.",
                tool="tagging/scripted",
                step=1,
                cure="Ask again with --timeout 120.",
            ),
        ),
        seconds=1.25,
    )
