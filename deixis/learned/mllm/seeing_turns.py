"""Questions about a picture of the world and their plain answers, for understanding without pointing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from deixis.learned.scout.proposals import Proposal
from deixis.learned.world.categories import categories, fits
from deixis.learned.world.colours import COLOURS
from deixis.learned.world.questions import SIDES, absent_words, phrases, place_of, with_article
from deixis.learned.world.relations import relations
from deixis.learned.world.scenes import Scene
from deixis.trace import Span

Rng = np.random.Generator
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
KIN = 12
"""Nearest kinds from which absent things are drawn adversarially."""
ADVERSARIAL = 0.6


class Turn(NamedTuple):
    """A question, its answer, the skill that it trains, and where the answer points, if it is to.

    With proposals on offer it points by their numbers, where one fits.
    """

    question: str
    answer: str
    skill: str
    spans: tuple[Span, ...] | None = None
    offered: tuple[Proposal, ...] = ()


def one_of(rng: Rng, several: Sequence[str]) -> str:
    """Returns one of several texts."""
    return several[int(rng.integers(len(several)))]


@cache
def kin_of(kind: int) -> tuple[int, ...]:
    """Returns the kinds whose names lie nearest to that of a kind, nearest first."""
    from deixis.tools.pocket.words import words

    table = words()
    places = np.stack([vector for thing in categories() if (vector := table.vector(thing.name)) is not None])
    order = np.argsort(-(places @ places[kind]), kind="stable")
    return tuple(int(one) for one in order if one != kind)[:KIN]


def groups(scene: Scene) -> list[tuple[str, int]]:
    """Returns the names of the kinds in the scene with their counts, those with the largest thing first."""
    areas = np.prod(scene.boxes[:, 2:] - scene.boxes[:, :2], axis=1)
    largest: dict[int, float] = {}
    for kind, area in zip(scene.classes.tolist(), areas.tolist(), strict=True):
        largest[kind] = max(area, largest.get(kind, 0.0))
    order = sorted(largest, key=lambda kind: -largest[kind])
    return [(categories()[kind].name, int((scene.classes == kind).sum())) for kind in order]


def said(name: str, count: int) -> str:
    """Returns "a dog", "two dogs"."""
    thing = next(one for one in categories() if one.name == name)
    return with_article(name) if count == 1 else f"{NUMBERS[min(count, 10)]} {thing.plural}"


def joined(parts: Sequence[str]) -> str:
    """Returns "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def caption(scene: Scene, rng: Rng) -> Turn | None:
    """Asks for a description: what shows, and on what ground."""
    found = [said(*group) for group in groups(scene)]
    question = one_of(rng, ("Describe the picture.", "Describe this image.", "What does the picture show?"))
    return Turn(question, f"{joined(found) if found else 'nothing'} on {scene.ground}.", "caption")


def listing(scene: Scene, rng: Rng) -> Turn | None:
    """Asks for the names of all that shows."""
    question = one_of(rng, ("Name all things.", "List what you see.", "Which things do you see?"))
    return Turn(question, ", ".join(name for name, _ in groups(scene)) or "nothing", "list")


def presence(scene: Scene, rng: Rng) -> Turn | None:
    """Asks for something that shows."""
    found = phrases(scene)
    if not found:
        return None
    word = found[int(rng.integers(len(found)))][0]
    return Turn(_asked_presence(word, rng), "yes", "presence")


def absence(scene: Scene, rng: Rng) -> Turn | None:
    """Asks for something that does not show, mostly for kin of what does."""
    every = absent_words(scene)
    shown = sorted(set(scene.classes.tolist()))
    if shown and rng.random() < ADVERSARIAL:
        near = {word for kind in shown for one in kin_of(kind)[:6] for word in categories()[one].words}
        every = [word for word in every if word in near] or every
    return Turn(_asked_presence(one_of(rng, every), rng), "no", "presence")


def _asked_presence(word: str, rng: Rng) -> str:
    form = one_of(
        rng, ("Is there {}?", "Do you see {}?", "Can you see {} here?", "Does the picture show {}?")
    )
    return form.format(with_article(word))


def counting(scene: Scene, rng: Rng) -> Turn | None:
    """Asks how many there are of a kind; of a kind that does not show in a fifth of the cases."""
    shown = set(scene.classes.tolist())
    sure = [kind for kind in sorted(shown) if len(fits(categories()[kind].name) & shown) == 1]
    if not sure or rng.random() < 0.2:
        missing = [kind for one in shown for kind in kin_of(one) if not fits(categories()[kind].name) & shown]
        kinds = missing or [
            kind for kind in range(len(categories())) if not fits(categories()[kind].name) & shown
        ]
    else:
        several = [kind for kind in sure if (scene.classes == kind).sum() > 1]
        kinds = several if several and rng.random() < 0.6 else sure
    kind = kinds[int(rng.integers(len(kinds)))]
    form = one_of(rng, ("How many {} are there?", "How many {} do you see?", "Count the {}."))
    return Turn(form.format(categories()[kind].plural), NUMBERS[int((scene.classes == kind).sum())], "count")


def _single(scene: Scene, rng: Rng, having: Callable[[int], bool]) -> tuple[str, int] | None:
    found = [(word, meant[0]) for word, meant in phrases(scene) if len(meant) == 1 and having(meant[0])]
    return found[int(rng.integers(len(found)))] if found else None


def colour(scene: Scene, rng: Rng) -> Turn | None:
    """Asks for the colour of a thing that has one, or whether it has a colour."""
    one = _single(scene, rng, lambda thing: bool(scene.colours[thing]))
    if one is None:
        return None
    word, right = one[0], scene.colours[one[1]]
    if rng.random() < 0.6:
        form = one_of(rng, ("What colour is the {}?", "What is the colour of the {}?"))
        return Turn(form.format(word), right, "attribute")
    true = bool(rng.random() < 0.5)
    other = right if true else one_of(rng, [name for name in COLOURS if name != right])
    return Turn(f"Is the {word} {other}?", "yes" if true else "no", "attribute")


def size(scene: Scene, rng: Rng) -> Turn | None:
    """Asks whether a thing is big or small."""
    one = _single(scene, rng, lambda thing: bool(scene.sizes[thing]))
    return Turn(f"Is the {one[0]} big or small?", scene.sizes[one[1]], "attribute") if one else None


def part(scene: Scene, rng: Rng) -> Turn | None:
    """Asks in which part of the picture a thing is."""
    one = _single(scene, rng, lambda thing: True)
    form = one_of(rng, ("In which part of the picture is the {}?", "Which part of the picture has the {}?"))
    return Turn(form.format(one[0]), place_of(scene, one[1]), "place") if one else None


def relation(scene: Scene, rng: Rng) -> Turn | None:
    """Asks whether a thing stands to another as it does, or as it does not."""
    named = {meant[0]: word for word, meant in phrases(scene) if len(meant) == 1}
    every = [link for link in relations(scene) if link.first in named and link.second in named]
    if not every:
        return None
    link = every[int(rng.integers(len(every)))]
    first, second = named[link.first], named[link.second]
    if link.kind == "larger than":
        pair = [first, second] if rng.random() < 0.5 else [second, first]
        return Turn(f"Which is larger, the {pair[0]} or the {pair[1]}?", f"the {first}", "relation")
    true = bool(rng.random() < 0.5)
    one, other = (first, second) if true else (second, first)
    side = SIDES.get(link.kind, link.kind)
    return Turn(f"Is the {one} {side} the {other}?", "yes" if true else "no", "relation")


def beside(scene: Scene, rng: Rng) -> Turn | None:
    """Asks what stands on a side of a thing, where only one does."""
    named = {meant[0]: word for word, meant in phrases(scene) if len(meant) == 1}
    every = [link for link in relations(scene) if link.kind != "larger than" and link.second in named]
    alone = [
        link
        for link in every
        if sum((one.kind, one.second) == (link.kind, link.second) for one in every) == 1
    ]
    if not alone:
        return None
    link = alone[int(rng.integers(len(alone)))]
    side = SIDES.get(link.kind, link.kind)
    right = with_article(categories()[int(scene.classes[link.first])].name)
    return Turn(f"What is {side} the {named[link.second]}?", right, "relation")


def ground(scene: Scene, rng: Rng) -> Turn | None:
    """Asks for the ground."""
    return Turn(
        one_of(rng, ("What is the background?", "What kind of place is this?")), scene.ground, "ground"
    )


SKILLS: tuple[tuple[Callable[[Scene, Rng], Turn | None], float], ...] = (
    (caption, 0.6), (listing, 0.4), (presence, 2.0), (absence, 2.0), (counting, 1.4), (colour, 1.2),
    (size, 0.3), (part, 1.0), (relation, 1.6), (beside, 0.8), (ground, 0.2),
)  # fmt: skip
"""Makers of questions with their weights."""
