"""Pairs of picture and sound that belong together, and pairs that do not, with the reason on record.

BuboGPT draws its negative pairs blindly (any sound to any picture) and joins the captions without a
blank. Here a negative is refused where the sound could come from something in the picture, classes are
balanced, every pair says why it is what it is, and the same seed gives the same pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from deixis.errors import InputFault
from deixis.geometry import Frozen
from deixis.tools.matching.sources import is_one_of, sources_of

MOST_TRIES = 50


class PictureItem(Frozen):
    """A picture with the names of all things in it, and a caption."""

    file: str
    things: tuple[str, ...]
    caption: str = ""


class SoundItem(Frozen):
    """A sound with its class, its ancestors (nearest first), and a caption."""

    file: str
    label: str
    parents: tuple[str, ...] = ()
    caption: str = ""


class Pair(Frozen):
    """A picture and a sound; `thing` makes the sound where they match."""

    picture: str
    sound: str
    verdict: Literal["matched", "unmatched"]
    thing: str | None = None
    reason: str
    caption: str


def maker_of(picture: PictureItem, sound: SoundItem) -> str | None:
    """Returns the thing in the picture that could make the sound, or None; typical makers come first."""
    sources = sources_of(sound.label, sound.parents)
    for wanted in (sources.typical, sources.plausible):
        for thing in picture.things:
            if is_one_of((thing,), wanted):
                return thing
    return None


def make_pairs(
    pictures: Sequence[PictureItem], sounds: Sequence[SoundItem], count: int, seed: int
) -> list[Pair]:
    """Returns up to `count` pairs, half of them matched, no pair twice; sound classes are balanced.

    A sound whose source is nothing that could be pointed at (wind, silence) is not used: it neither
    matches nor refutes.

    Raises:
        InputFault: no pair of one kind can be made of what is given.
    """
    rng = np.random.default_rng(seed)
    usable = [sound for sound in sounds if sources_of(sound.label, sound.parents).typical]
    by_class: dict[str, list[SoundItem]] = {}
    for sound in usable:
        by_class.setdefault(sound.label, []).append(sound)
    made: list[Pair] = []
    seen: set[tuple[str, str]] = set()
    for number in range(count):
        wanted: Literal["matched", "unmatched"] = "matched" if number % 2 == 0 else "unmatched"
        pair = _draw(wanted, pictures, by_class, seen, rng)
        if pair is not None:
            seen.add((pair.picture, pair.sound))
            made.append(pair)
    for verdict in ("matched", "unmatched"):
        if count >= 2 and not any(pair.verdict == verdict for pair in made):
            raise InputFault(
                "pairs.impossible",
                f"No {verdict} pair can be made of {len(pictures)} pictures and {len(usable)} sounds.",
                "Give more pictures and sounds, of other kinds.",
            )
    return made


def _draw(
    wanted: Literal["matched", "unmatched"],
    pictures: Sequence[PictureItem],
    by_class: dict[str, list[SoundItem]],
    seen: set[tuple[str, str]],
    rng: np.random.Generator,
) -> Pair | None:
    """Returns a new pair of the wanted kind; None where `MOST_TRIES` draws give none."""
    labels = sorted(by_class)
    for _ in range(MOST_TRIES if labels and pictures else 0):
        label = labels[int(rng.integers(len(labels)))]
        sound = by_class[label][int(rng.integers(len(by_class[label])))]
        picture = pictures[int(rng.integers(len(pictures)))]
        maker = maker_of(picture, sound)
        fits = "matched" if maker else "unmatched"
        if fits == wanted and (picture.file, sound.file) not in seen:
            return _pair(picture, sound, maker)
    return None


def _pair(picture: PictureItem, sound: SoundItem, maker: str | None) -> Pair:
    shown = ", ".join(picture.things) or "nothing that is named"
    if maker:
        reason = f"{maker} is in the picture and makes such sounds as {sound.label}"
        opener = ""
    else:
        makers = ", ".join(sources_of(sound.label, sound.parents).typical[:3])
        reason = f"{sound.label} comes from {makers}; the picture has {shown}"
        opener = "The picture and the sound seem unrelated."
    return Pair(
        picture=picture.file,
        sound=sound.file,
        verdict="matched" if maker else "unmatched",
        thing=maker,
        reason=reason,
        caption=join_captions(opener, picture.caption, sound.caption),
    )


def join_captions(*captions: str) -> str:
    """Returns the captions as sentences: each ends with a stop, one blank between them."""
    sentences = []
    for caption in captions:
        text = " ".join(caption.split())
        if text:
            sentences.append(text if text[-1] in ".!?…" else f"{text}.")
    return " ".join(sentences)
