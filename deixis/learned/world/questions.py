"""Questions about a scene, with the answers that are true of it.

A word is asked for only where its truth is beyond doubt: "bird" is not asked of a scene with an owl in it,
for an owl is a bird as well, and never counts as absent there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from deixis.learned.world.categories import Category, categories, fits, wide_words
from deixis.learned.world.relations import relations
from deixis.learned.world.scenes import Scene

Rng = np.random.Generator
Asked = Literal["presence", "where", "count", "which", "relation", "attribute", "list"]
Words = Literal["training", "held_out"]

TEMPLATES: dict[Asked, tuple[str, ...]] = {
    "presence": (
        "Is there {a}?",
        "Do you see {a}?",
        "Can you see {a} in the picture?",
        "Does the picture show {a}?",
    ),
    "where": ("Where is the {name}?", "Where is the {name} in the picture?"),
    "count": ("How many {plural} are there?", "How many {plural} can you see?"),
    "which": ("Point at the {name}.", "Find the {name}.", "Show me the {name}."),
    "relation": ("Find the {name} {kind} the {other}.", "Point at the {name} {kind} the {other}."),
    "attribute": ("What colour is the {name}?", "What is the colour of the {name}?"),
    "list": ("What is in the picture?", "What can you see?"),
}
SIDES = {"left of": "to the left of", "right of": "to the right of"}


@dataclass(frozen=True)
class Truth:
    """A question and what is true: `answer` in words, `things` the numbers of the things that are meant.

    `phrase` is what has to be found, without an article. `present` is False for an absent thing, whose
    question is answered with nothing.
    """

    question: str
    asked: Asked
    phrase: str
    answer: str
    present: bool
    things: tuple[int, ...]


def with_article(name: str) -> str:
    """Returns the name with "a" or "an"; names of several or of stuff stand alone."""
    thing = next((kind for kind in categories() if name == kind.name), None)
    if name == "clothes" or (thing is not None and thing.plural == name and name not in {"sheep", "fish"}):
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def questions(scene: Scene, rng: Rng, count: int = 6, words: Words = "training") -> list[Truth]:
    """Returns up to `count` questions of different kinds, about a third of them about absent things.

    With ``words="held_out"`` things are named only by words that no training sees.
    """
    makers = (_presence, _absent, _where, _count, _relation, _attribute, _absent_where, _which, _list, _wide)
    order = rng.permutation(len(makers))
    found = [truth for place in order if (truth := makers[place](scene, rng, words)) is not None]
    return found[:count]


def absent_words(scene: Scene, words: Words = "training") -> list[str]:
    """Returns all words that name nothing in the scene, not even loosely."""
    shown = set(scene.classes.tolist())
    return [
        word
        for thing in categories()
        for word in (thing.words if words == "training" else thing.held_out)
        if not fits(word) & shown
    ]


def phrases(scene: Scene, words: Words = "training") -> list[tuple[str, tuple[int, ...]]]:
    """Returns every word that names things in the scene without doubt, with the things it names."""
    found = []
    for kind in sorted(set(scene.classes.tolist())):
        thing = categories()[kind]
        for word in thing.words if words == "training" else thing.held_out:
            if fits(word) & set(scene.classes.tolist()) == {kind}:
                found.append((word, tuple(np.flatnonzero(scene.classes == kind).tolist())))
    return found


def _any(rng: Rng, several: list[str] | tuple[str, ...]) -> str:
    return several[int(rng.integers(len(several)))]


def _phrase(scene: Scene, rng: Rng, words: Words, single: bool) -> tuple[str, tuple[int, ...]] | None:
    several = [found for found in phrases(scene, words) if not single or len(found[1]) == 1]
    return several[int(rng.integers(len(several)))] if several else None


def _presence(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    found = _phrase(scene, rng, words, single=False)
    if found is None:
        return None
    said = _any(rng, TEMPLATES["presence"]).format(a=with_article(found[0]))
    return Truth(said, "presence", found[0], "yes", True, found[1])


def _absent(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    word = _any(rng, absent_words(scene, words))
    said = _any(rng, TEMPLATES["presence"]).format(a=with_article(word))
    return Truth(said, "presence", word, "no", False, ())


def _where(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    found = _phrase(scene, rng, words, single=True)
    if found is None:
        return None
    said = _any(rng, TEMPLATES["where"]).format(name=found[0])
    return Truth(said, "where", found[0], place_of(scene, found[1][0]), True, found[1])


def _absent_where(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    word = _any(rng, absent_words(scene, words))
    said = _any(rng, TEMPLATES["where"]).format(name=word)
    return Truth(said, "where", word, "not there", False, ())


def _count(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    shown = set(scene.classes.tolist())
    sure = [
        thing
        for thing in (categories()[kind] for kind in sorted(shown))
        if len(fits(thing.name) & shown) == 1 and thing.plural != thing.name
    ]
    if not sure or words == "held_out":
        return None
    thing: Category = sure[int(rng.integers(len(sure)))]
    meant = tuple(number for number, name in enumerate(scene.names) if name == thing.name)
    said = _any(rng, TEMPLATES["count"]).format(plural=thing.plural)
    return Truth(said, "count", thing.plural, str(len(meant)), True, meant)


def _which(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    """Asks for one of several of a kind, by its colour or its size; else for the only one."""
    names = [(word, meant) for word, meant in phrases(scene, words) if len(meant) > 1]
    for word, meant in names:
        for values in (scene.colours, scene.sizes):
            for number in meant:
                if values[number] and all(
                    values[other] not in ("", values[number]) for other in meant if other != number
                ):
                    phrase = f"{values[number]} {word}"
                    said = _any(rng, TEMPLATES["which"]).format(name=phrase)
                    return Truth(said, "which", phrase, place_of(scene, number), True, (number,))
    found = _phrase(scene, rng, words, single=True)
    if found is None:
        return None
    said = _any(rng, TEMPLATES["which"]).format(name=found[0])
    return Truth(said, "which", found[0], place_of(scene, found[1][0]), True, found[1])


def _relation(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    """Asks for the thing beside, above or below another; no second thing of the kind may stand there."""
    named = {meant[0]: word for word, meant in phrases(scene, words) if len(meant) == 1}
    by_word = dict(phrases(scene, words))
    every = [link for link in relations(scene) if link.kind != "larger than" and link.second in named]
    for place in rng.permutation(len(every)).tolist():
        link = every[place]
        mine = [(word, meant) for word, meant in by_word.items() if link.first in meant]
        rivals = {other.first for other in every if (other.kind, other.second) == (link.kind, link.second)}
        if not mine or len(rivals & set(mine[0][1])) != 1 or link.second in mine[0][1]:
            continue
        side = SIDES.get(link.kind, link.kind)
        name, other_name = mine[0][0], named[link.second]
        said = _any(rng, TEMPLATES["relation"]).format(name=name, kind=side, other=other_name)
        phrase = f"{name} {side} the {other_name}"
        return Truth(said, "relation", phrase, place_of(scene, link.first), True, (link.first,))
    return None


def _attribute(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    several = [
        (word, meant) for word, meant in phrases(scene, words) if len(meant) == 1 and scene.colours[meant[0]]
    ]
    if not several:
        return None
    word, meant = several[int(rng.integers(len(several)))]
    said = _any(rng, TEMPLATES["attribute"]).format(name=word)
    return Truth(said, "attribute", word, scene.colours[meant[0]], True, meant)


def _list(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    if not len(scene.classes):
        return Truth(_any(rng, TEMPLATES["list"]), "list", "", "nothing", False, ())
    said = ", ".join(sorted(set(scene.names)))
    return Truth(_any(rng, TEMPLATES["list"]), "list", "", said, True, tuple(range(len(scene.classes))))


def _wide(scene: Scene, rng: Rng, words: Words) -> Truth | None:
    """Asks by a word for several kinds: animal, fruit, vehicle …"""
    word = _any(rng, wide_words())
    meant = tuple(np.flatnonzero(np.isin(scene.classes, list(fits(word)))).tolist())
    said = _any(rng, TEMPLATES["presence"]).format(a=with_article(word))
    return Truth(said, "presence", word, "yes" if meant else "no", bool(meant), meant)


def place_of(scene: Scene, thing: int) -> str:
    """Returns where a thing is in words, by thirds of the picture: "top left", "middle", "right" …"""
    side = scene.pixels.shape[0]
    x, y = ((scene.boxes[thing, :2] + scene.boxes[thing, 2:]) / 2 / side).tolist()
    row = "top" if y < 1 / 3 else "bottom" if y > 2 / 3 else ""
    column = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    return " ".join(part for part in (row, column) if part) or "middle"
