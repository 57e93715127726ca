"""Whether a noun that people say can mean a thing that a detector names."""

from __future__ import annotations

from functools import lru_cache

from deixis.graphs.rules import lexicon as lex
from deixis.tools.detection.coco import COCO_80
from deixis.tools.words import lexicon
from deixis.tools.words.morphology import singular

_LOOSELY = {
    "bicycle": "tricycle wheel", "motorcycle": "bike cycle motor", "car": "auto wagon truck",
    "truck": "van trailer semi suv tractor jeep camper", "bus": "coach decker van tram",
    "train": "engine trolley car", "cow": "steer", "sheep": "goat", "horse": "donkey",
    "elephant": "calf tusker", "bear": "cub", "teddy bear": "bear teddy doll animal plush",
    "chair": "lounge lounger rocker", "couch": "armchair recliner chair",
    "dining table": "counter tray tablecloth",
    "tv": "computer display", "laptop": "notebook screen monitor",
    "cup": "glass coffee drink beverage tea bowl",
    "wine glass": "glass wine drink champagne", "bottle": "beer wine jar drink soda water",
    "bowl": "plate soup salad rice cup oatmeal pot food container", "sandwich": "bread toast bagel half bun",
    "hot dog": "dog sausage", "pizza": "slice pie pan", "cake": "pie brownie bread", "donut": "pastry bagel",
    "broccoli": "veggie greens cauliflower", "carrot": "veggie", "banana": "bunch",
    "suitcase": "case briefcase bag",
    "handbag": "sack", "backpack": "pack bookbag", "umbrella": "canopy", "surfboard": "board",
    "skateboard": "board", "snowboard": "board", "skis": "pole skiis",
    "potted plant": "bush flower tree pot shrub", "vase": "pot jar flower", "oven": "range",
    "sink": "basin faucet", "toilet": "bidet", "remote": "wii control wiimote", "book": "paper",
    "traffic light": "light signal",
    "frisbee": "disc disk",
    "toothbrush": "brush",
    "hair drier": "dryer", "person": "player team group family boarder",
}  # fmt: skip
"""What people also call these things when they point at them: looser than the synonyms of the lexicon."""

_FAMILIES = (
    frozenset("cow sheep horse dog cat elephant bear zebra giraffe bird".split()) | {"teddy bear"},
    frozenset("bicycle motorcycle car truck bus train airplane boat".split()),
    frozenset("pizza cake sandwich donut broccoli carrot orange banana apple bowl".split()) | {"hot dog"},
    frozenset("chair couch bench bed".split()) | {"dining table"},
    frozenset("cup bottle bowl vase".split()) | {"wine glass"},
    frozenset("backpack handbag suitcase".split()), frozenset("surfboard skateboard snowboard skis".split()),
    frozenset("tv laptop".split()) | {"cell phone"},
    frozenset("oven microwave refrigerator sink toaster".split()),
)  # fmt: skip
"""Kinds that small detectors mistake for one another."""
_MISTAKEN = 0.3

FOODS = frozenset("pizza cake sandwich donut broccoli carrot orange banana apple".split()) | {
    "hot dog",
    "bowl",
}
_BODY = frozenset("face head hand arm leg body ear nose trunk".split())
UNKNOWN = 0.3
"""What a name gets for a noun that no list knows: the right box may still be known by its place."""


@lru_cache(maxsize=4096)
def meant(noun: str) -> dict[str, float]:
    """Returns how well each known name fits a noun, in 0..1; empty where no list knows the noun."""
    words = noun.casefold().split()
    if not words or words[-1] in lex.ANYTHING:
        return {}
    head = singular(words[-1])
    phrase = " ".join([*words[:-1], head])
    if len(words) > 1 and head in _BODY and (whole := meant(" ".join(words[:-1]))):
        return {name: 0.9 * fit for name, fit in whole.items()}  # "cow face"
    if head in lex.PERSONS or words[-1] in lex.PERSONS:
        return {"person": 1.0}
    found: dict[str, float] = {}
    for said, fit in ((head, 0.9 if len(words) > 1 else 1.0), (phrase, 1.0)):
        name = lexicon.synonym(said) or (said if said in COCO_80 else "")
        if name:
            found[name] = fit
        for covered in lexicon.kinds_of(said):
            found.setdefault(covered, 0.75)
    for name, loose in _LOOSELY.items():
        if head in loose.split():
            found.setdefault(name, 0.75)
    if not found:  # "pizza slice", "cow face", "elephant butt": a part stands for the whole
        for word in words[:-1]:
            name = lexicon.synonym(singular(word)) or (
                singular(word) if lexicon.words_for(singular(word)) else ""
            )
            if name:
                found[name] = 0.6
    return found


def fits(noun: str, names: tuple[str, ...]) -> float:
    """Returns how well the best of a candidate's names fits the noun, in 0..1.

    1 for the same name or any person word, less for looser ones, 0.3 where the noun is unknown to
    all lists (and then for every name alike), 0.02 where the noun means other things. A name after
    the first counts a little less.
    """
    known = meant(noun)
    if not known:
        direct = {singular(noun), noun}
        if any(name.casefold() in direct for name in names):
            return 1.0
        return 1.0 if not noun or noun.rsplit(maxsplit=1)[-1] in lex.ANYTHING else UNKNOWN
    best = 0.02
    for rank, name in enumerate(names):
        fit = known.get(name.casefold(), 0.0)
        if not fit and any(name in family and not family.isdisjoint(known) for family in _FAMILIES):
            fit = _MISTAKEN
        best = max(best, fit * (1.0 if rank == 0 else 0.85))
    return best
