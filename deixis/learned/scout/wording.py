"""The English of traces: short, with a few ways to say each thing, so that a small decoder can learn it."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.learned.scout.tape import Words
from deixis.tools.words.morphology import article

QUESTIONS: dict[str, tuple[str, ...]] = {
    "where": ("Where is the {name}?", "Where is the {name} in the picture?", "Where can I see the {name}?"),
    "find": ("Find the {name}.", "Point at the {name}.", "Show me the {name}.", "Box the {name}."),
    "which": ("Find the {name}.", "Point at the {name}.", "Which one is the {name}?", "Show me the {name}."),
    "relation": (
        "Find the {name} {side} the {other}.",
        "Point at the {name} {side} the {other}.",
        "Show me the {name} that is {side} the {other}.",
        "Where is the {name} {side} the {other}?",
    ),
    "attribute": ("What colour is the {name}?", "What is the colour of the {name}?"),
    "count": ("How many {plural} are there?", "How many {plural} can you see?", "Count the {plural}."),
    "presence": (
        "Is there {a}?", "Do you see {a}?", "Can you see {a} in the picture?", "Does the picture show {a}?",
    ),
    "list": ("What is in the picture?", "What can you see?", "Name the things in the picture."),
    "caption": ("Describe the picture.", "Describe the picture and point at each thing.", "Caption this."),
    "outline": ("Outline the {name}.", "Cut out the {name}.", "Give the mask of the {name}."),
    "hear": ("What do you hear?", "Which sounds are there?", "What is heard?"),
    "sound_presence": ("Do you hear {sound}?", "Is there {sound} in the sound?", "Can you hear {sound}?"),
    "when": ("When is {sound} heard?", "When do you hear {sound}?", "From when to when is there {sound}?"),
    "sound_source": (
        "What makes the sound?", "Which thing makes the sound?", "Where does the sound come from?",
        "What in the picture is heard?",
    ),
    "match": (
        "Does the sound belong to the picture?", "Do picture and sound match?",
        "Does anything in the picture make the sound?",
    ),
}  # fmt: skip
"""Ways to ask, by task."""

SIDES = {"left of": "left of", "right of": "right of", "above": "above", "below": "below"}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SOUNDS = {
    "speech": "speech", "cry": "crying", "laugh": "laughter", "cough": "a cough", "bark": "a bark",
    "meow": "a meow", "neigh": "a neigh", "moo": "a moo", "oink": "an oink", "baa": "a bleat",
    "cluck": "a cluck", "crow": "crowing", "chirp": "chirping", "quack": "a quack", "hoot": "a hoot",
    "croak": "a croak", "buzz": "buzzing", "roar": "a roar", "engine": "an engine", "horn": "a horn",
    "siren": "a siren", "train": "train noise", "plane": "airplane noise", "helicopter": "helicopter noise",
    "bell": "a chime", "ring": "a ringtone", "alarm": "an alarm", "tick": "ticking", "guitar": "guitar music",
    "piano": "piano music", "violin": "violin music", "trumpet": "trumpet music", "drum": "drumming",
    "rain": "rain", "thunder": "thunder", "fire": "crackling", "typing": "typing", "hammer": "hammering",
}  # fmt: skip
"""How a kind of sound of the world is said."""


def sound_words(kind: str) -> str:
    """Returns how a kind of sound, or the label of one, is said, with its article: 'a bark', 'rain'."""
    return SOUNDS.get(kind, kind)


def bare(said: str) -> str:
    """Returns the words without a leading article: 'bark' of 'a bark'."""
    first, _, rest = said.partition(" ")
    return rest if first in ("a", "an", "the") and rest else said


def number(count: int) -> str:
    """Returns a count in words up to ten, in figures above."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def counted(name: str, plural: str, count: int, boxes: Sequence[object] = ()) -> Words:
    """Returns 'a dog' or 'two dogs', the noun pointing at `boxes`."""
    words = Words().say(f"{indefinite(name)} " if count == 1 else f"{number(count)} ")
    return words.point(name if count == 1 else plural, boxes)  # type: ignore[arg-type]


def indefinite(name: str) -> str:
    """Returns the article before a name."""
    return article(name)


def placed(where: str) -> str:
    """Returns a part of the picture as it is said: 'top left' → 'in the top left', 'left' → 'on the left'."""
    if where == "middle":
        return "in the middle"
    if " " in where:
        return f"in the {where}"
    return f"at the {where}" if where in ("top", "bottom") else f"on the {where}"


def joined(parts: Sequence[Words], last: str = "and") -> Words:
    """Returns 'a', 'a and b', 'a, b and c', with all their spans."""
    words = Words()
    for place, part in enumerate(parts):
        if place:
            words.say(f" {last} " if place == len(parts) - 1 else ", ")
        words.add(part)
    return words


def seconds(start_s: float, end_s: float) -> str:
    """Returns '0.4 to 2.1 s'."""
    return f"{start_s:.1f} to {end_s:.1f} s"
