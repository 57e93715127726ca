"""How a turn is read: its pictures, its coordinates, the words in it that point back."""

# ruff: noqa: E501 - a pattern is easier to read on one line than in pieces

from __future__ import annotations

import re
from collections.abc import Sequence

from deixis.answer import GroundedAnswer
from deixis.graphs.turns.asked import Asked, Draft
from deixis.graphs.turns.coordinates import places
from deixis.graphs.turns.focus import Memory
from deixis.graphs.turns.following import follow
from deixis.graphs.turns.talk import talk_of
from deixis.media.refs import AudioRef, ImageRef

MOST_CHARACTERS = 4000
_PICTURE = re.compile(
    r",? ?\b(?:in|on|from|of) (?:the |this |that )?(?:(?P<n>first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th|last|new|newest"
    r"|latest|other|previous|old) (?:picture|photo|photograph|image|one(?=\W*$))"
    r"|(?:picture|photo|photograph|image) (?P<d>\d{1,2}))\b",
    re.IGNORECASE,
)
_NEW_ONE = re.compile(
    r"^\W*(?:and|what about|how about)\b(?: in| on)? (?:this|that|the new|the other|the second|the last)"
    r"(?: one| picture| photo| image)?\W*$",
    re.IGNORECASE,
)
_ORDER = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4,
          "5th": 4, "last": -1, "new": -1, "newest": -1, "latest": -1, "other": -1, "previous": -2, "old": 0}  # fmt: skip


def read_turn(
    question: str,
    images: Sequence[ImageRef],
    audios: Sequence[AudioRef],
    earlier: Sequence[GroundedAnswer],
) -> Asked:
    """Returns the question as it can be read by itself, given the media and the turns before. Never raises.

    Outside of a conversation only coordinates, and words for one of several pictures, are read.
    """
    new = _new_media(images, audios, earlier)
    talk = talk_of(question, turns=len(earlier), media=bool(images or audios), new_media=new)
    if talk:
        return Asked(text=question, talk=talk)
    if len(question) > MOST_CHARACTERS:
        return Asked(text=question)
    text, chosen, notes = _picture(question, images, earlier)
    shown = [images[number - 1] for number in chosen] or list(images)
    asked = places(text, shown)
    draft = Draft(asked.text)
    draft.pins, draft.notes = list(asked.pins), [*notes, *asked.notes]
    media = [*(image.digest for image in shown), *(audio.digest for audio in audios)]
    follow(draft, Memory(earlier, media), same_media=not new)
    return asked.model_copy(
        update={
            "text": draft.text,
            "pins": tuple(draft.pins),
            "notes": tuple(draft.notes),
            "pictures": chosen,
        }
    )


def _new_media(
    images: Sequence[ImageRef], audios: Sequence[AudioRef], earlier: Sequence[GroundedAnswer]
) -> bool:
    before = {ref.digest for answer in earlier for ref in answer.media}
    given: list[ImageRef | AudioRef] = [*images, *audios]
    return any(ref.digest not in before for ref in given)


def _picture(
    question: str, images: Sequence[ImageRef], earlier: Sequence[GroundedAnswer]
) -> tuple[str, tuple[int, ...], list[str]]:
    """Returns the question without 'in the second picture', which picture that is, and a note."""
    if len(images) < 2:
        return question, (), []
    if earlier and _NEW_ONE.match(question):
        before = earlier[-1].read or earlier[-1].question
        return before, (len(images),), [f"{question.strip()!r} asks {before!r} of picture {len(images)}"]
    hit = _PICTURE.search(question)
    if hit is None:
        return question, (), []
    at = int(hit["d"]) - 1 if hit["d"] else _ORDER[hit["n"].casefold()]
    at = at if at >= 0 else len(images) + at
    if not 0 <= at < len(images):
        return question, (), []
    text = f"{question[: hit.start()]} in the picture{question[hit.end() :]}".strip()
    return text, (at + 1,), [f"only picture {at + 1} is meant"]
