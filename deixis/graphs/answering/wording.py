"""Small pieces of English: counts, places, times, lists."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.geometry import Box, Size, TimeSpan
from deixis.graphs.answering.draft import Writer
from deixis.graphs.answering.facts import Group
from deixis.tools.words.morphology import article, plural, singular
from deixis.tools.words.phrases import head_noun, strip_determiners

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MOST_SPANS = 4
"""More stretches of one sound than this are summed up: a list of twenty is no help."""


def number(count: int) -> str:
    """Returns the count in words up to ten, in figures above."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def noun(label: str, count: int = 1) -> str:
    """Returns the label as it is said of `count` things: 'dog', 'dogs', 'man with a hat'.

    Only a last word that is the head of the phrase is inflected.
    """
    phrase = strip_determiners(label) or label
    first, _, last = phrase.rpartition(" ")
    if last.casefold() != head_noun(phrase).casefold():
        return phrase
    inflected = singular(last) if count == 1 else plural(singular(last))
    return f"{first} {inflected}".strip()


def say_group(writer: Writer, group: Group) -> None:
    """Writes 'a dog', 'two dogs', pointing at the group."""
    count = len(group.regions)
    word = noun(group.label, count)
    writer.say(f"{article(word)} " if count == 1 else f"{number(count)} ").point(word, group.id)


def say_list(writer: Writer, groups: Sequence[Group]) -> None:
    """Writes 'a dog, two cats and a car', pointing at each group."""
    for index, group in enumerate(groups):
        if index:
            writer.say(" and " if index == len(groups) - 1 else ", ")
        say_group(writer, group)


def article_phrase(phrase: str) -> str:
    """Returns the article that goes before `phrase`, with a space; nothing where it has a determiner."""
    return "" if strip_determiners(phrase) != phrase else f"{article(phrase)} "


def joined(words: Sequence[str], last: str = "and") -> str:
    """Returns 'a', 'a and b', 'a, b and c'."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _third(share: float, first: str, last: str) -> str:
    """Returns the name of a part of the picture; the middle is what people call so, a fifth, not a third."""
    return first if share < 0.4 else last if share > 0.6 else "middle"


def place(box: Box, size: Size) -> str:
    """Returns where in the picture the middle of a box lies."""
    x, y = box.center
    across = _third(x / size.width, "left", "right")
    down = _third(y / size.height, "upper", "lower")
    if box.area >= 0.6 * size.area:
        return "across most of the picture"
    if across == "middle" and down == "middle":
        return "in the middle of the picture"
    if down == "middle":
        return f"on the {across} of the picture"
    if across == "middle":
        return f"in the {down} middle of the picture"
    return f"in the {down} {across} of the picture"


def sound_name(label: str) -> str:
    """Returns how a sound class is said: the first of the names that AudioSet lists for it."""
    return label.partition(",")[0].strip() or label


def seconds(span: TimeSpan) -> str:
    """Returns '0.2–1.3 s'."""
    return f"{span.start_s:.1f}–{span.end_s:.1f} s"


def when(group: Group) -> str:
    """Returns the stretches of a sound in words: 'from 0.2 to 1.3 s', 'at 0.2–0.4 s and 1.1–1.3 s'."""
    spans = sorted((r.span for r in group.regions if r.span is not None), key=lambda span: span.start_s)
    if len(spans) == 1:
        return f"from {spans[0].start_s:.1f} to {spans[0].end_s:.1f} s"
    if len(spans) <= MOST_SPANS:
        return f"at {joined([seconds(span) for span in spans])}"
    return f"{len(spans)} times between {spans[0].start_s:.1f} and {spans[-1].end_s:.1f} s"


def capital(text: str) -> str:
    """Returns the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
