"""Answers of earlier turns, made by hand."""

from __future__ import annotations

from typing import Any

from deixis.answer import Entity, Evidence, GroundedAnswer, Mention, Region, Score
from deixis.geometry import Box, Size, TimeSpan
from deixis.media.refs import AudioRef, ImageRef

PICTURE = ImageRef(digest=f"sha256:{'0' * 64}", size=Size(width=640, height=480), format="PNG", name="a.png")
OTHER = ImageRef(digest=f"sha256:{'1' * 64}", size=Size(width=640, height=480), format="PNG", name="b.png")
SOUND = AudioRef(digest=f"sha256:{'2' * 64}", rate_hz=16_000, channels=1, duration_s=2.0, format="WAV")
LEFT, RIGHT, CAT, MAN = (10, 10, 100, 100), (300, 100, 400, 200), (500, 10, 600, 100), (500, 110, 600, 300)


def thing(entity_id: str, label: str, *boxes: tuple[float, ...], media: str = PICTURE.digest) -> Entity:
    """Returns a thing that a tool saw at these boxes; its number is that of its id."""
    score = Score(value=0.9, kind="detector")
    return Entity(
        id=entity_id,
        number=int(entity_id.partition("-")[2]),
        kind="thing",
        label=label,
        regions=tuple(Region(media=media, box=Box.of(box), score=score) for box in boxes),
        evidence=(Evidence(tool="detection/fake", version="1", step=3, score=score),) if boxes else (),
        supported=bool(boxes),
    )


def sound(entity_id: str, label: str, start: float, end: float) -> Entity:
    """Returns a sound that a tool heard."""
    score = Score(value=0.8, kind="hearing")
    return Entity(
        id=entity_id,
        number=int(entity_id.partition("-")[2]) + 50,
        kind="sound",
        label=label,
        regions=(Region(media=SOUND.digest, span=TimeSpan(start_s=start, end_s=end), score=score),),
        evidence=(Evidence(tool="hearing/fake", version="1", step=2, score=score),),
        supported=True,
    )


def answer(
    question: str, text: str, *named: tuple[str, Entity], read: str = "", **more: Any
) -> GroundedAnswer:
    """Returns an answer whose words, in order, name entities."""
    at, mentions = 0, []
    for words, entity in named:
        at = text.index(words, at)
        mentions.append(Mention(start=at, end=at + len(words), phrase=words, entities=(entity.id,)))
        at += len(words)
    entities = {entity.id: entity for _, entity in named}
    more.setdefault("media", (PICTURE, OTHER, SOUND))
    return GroundedAnswer(
        run="r", question=question, read=read, text=text, status="complete", profile="p",
        entities=tuple(entities.values()), mentions=tuple(mentions), **more,
    )  # fmt: skip


DOGS = thing("thing-1", "dog", RIGHT, LEFT)
A_CAT = thing("thing-2", "cat", CAT)
A_MAN = thing("thing-3", "man", MAN)
SHOWS = answer("What is here?", "The picture shows two dogs and a cat.", ("dogs", DOGS), ("cat", A_CAT))
WHERE = answer("Where is the cat?", "The cat is on the right.", ("cat", A_CAT))
BELOW = answer("What is below the cat?", "Below the cat is a man.", ("cat", A_CAT), ("man", A_MAN))
LISTED = answer("Where are the dogs?", "There are two dogs: on the right; on the left.", ("dogs", DOGS))
HEARD = answer("What do you hear?", "I hear a bark.", ("bark", sound("sound-1", "Bark, dog", 0.5, 1.0)))
