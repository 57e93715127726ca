"""Pairs of pictures and sounds: the layout ``pairs/pairs.json`` with ``audio/labels.json``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deixis.errors import InputFault
from deixis.eval.data import read_json

PAIRS, SOUNDS = "pairs/pairs.json", "audio/labels.json"


@dataclass(frozen=True)
class Pair:
    """A picture and a sound, and whether what makes the sound is to be seen.

    `objects` are the names of what makes it; empty where the data do not tell.
    """

    image: str
    audio: str
    sound: str
    objects: tuple[str, ...]
    match: bool

    def covered_by(self, names: frozenset[str]) -> bool:
        """Returns whether one of the objects is among the names of a detector."""
        return any(name.casefold() in names for name in self.objects)


def read_pairs(data: Path) -> list[Pair]:
    """Returns the pairs of a data folder, in their order; the objects may stand with the pair or the sound.

    Raises:
        InputFault: a file is missing or has another form.
    """
    rows = read_json(data, PAIRS)
    try:
        by_sound = (
            {row["file"]: tuple(row.get("objects", ())) for row in read_json(data, SOUNDS)}
            if (data / SOUNDS).is_file()
            else {}
        )
        return [
            Pair(
                image=row["image"],
                audio=row["audio"],
                sound=str(row.get("sound", "")),
                objects=tuple(row.get("objects", by_sound.get(row["audio"], ()))),
                match=bool(row["match"]),
            )
            for row in rows
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise InputFault(
            "eval.data.damaged",
            f"{PAIRS} or {SOUNDS} has another form ({type(error).__name__}: {error}).",
            "See docs/evaluation.md for the layout.",
        ) from error
