"""Whether a noun that people say can mean a thing that a detector names."""

from __future__ import annotations

from functools import lru_cache

from deixis.graphs.rules import lexicon as lex

_MEANS = {
    "bicycle": "bike cycle bicycle tricycle wheel",
    "motorcycle": "bike motorbike scooter moped cycle motor vespa harley chopper vehicle",
    "car": "suv taxi cab jeep sedan van auto automobile vehicle minivan convertible wagon truck hatchback",
    "truck": "van pickup lorry vehicle trailer semi suv firetruck tractor rv ambulance jeep camper",
    "bus": "coach decker trolley vehicle van tram minibus",
    "train": "locomotive engine tram caboose railcar subway trolley car vehicle",
    "airplane": "plane jet aircraft aeroplane airliner biplane",
    "boat": "ship canoe kayak raft sailboat ferry yacht gondola vessel dinghy rowboat",
    "cow": "bull calf ox cattle steer animal bovine heifer",
    "sheep": "lamb goat ram ewe animal", "horse": "pony foal stallion mare donkey animal colt",
    "dog": "puppy pup hound animal poodle lab terrier pug pet canine", "cat": "kitten kitty animal feline pet",
    "elephant": "calf animal tusker", "bear": "cub animal grizzly", "zebra": "animal", "giraffe": "animal",
    "bird": "duck goose seagull gull pigeon chicken parrot swan geese owl eagle animal hen rooster crow",
    "teddy bear": "bear teddy toy doll stuffed bears animal plush",
    "chair": "seat stool armchair recliner lounge rocker lounger wheelchair",
    "couch": "sofa loveseat seat armchair recliner settee futon chair",
    "bench": "seat pew", "bed": "mattress bunk cot crib",
    "dining table": "table desk counter tray tablecloth", "tv": "television monitor screen computer display",
    "laptop": "computer notebook macbook screen monitor", "cell phone": "phone cellphone mobile smartphone",
    "cup": "mug glass coffee drink beverage tea bowl container", "wine glass": "glass wine goblet drink champagne",
    "bottle": "beer wine jar drink soda water", "bowl": "dish plate soup salad rice cup container oatmeal pot food",
    "sandwich": "burger sub bread bun hamburger toast wrap panini food bagel hoagie half",
    "hot dog": "hotdog dog sausage bun food frank", "pizza": "slice pie food pan", "cake": "dessert pastry cupcake food pie brownie bread",
    "donut": "doughnut pastry bagel food", "broccoli": "veggie vegetable vegetables veggies greens food cauliflower",
    "carrot": "veggie vegetable carrots vegetables food", "orange": "fruit tangerine food citrus clementine mandarin",
    "banana": "fruit bananas bunch food plantain", "apple": "fruit food", "suitcase": "luggage bag case baggage briefcase trunk",
    "handbag": "purse bag tote sack", "backpack": "bag pack bookbag rucksack", "umbrella": "parasol canopy",
    "surfboard": "board", "skateboard": "board", "snowboard": "board", "skis": "ski poles skiis",
    "tennis racket": "racket racquet", "sports ball": "ball", "baseball bat": "bat", "baseball glove": "glove mitt",
    "potted plant": "plant bush flower flowers tree pot fern shrub", "vase": "pot jar urn pitcher flowers",
    "refrigerator": "fridge freezer", "oven": "stove range", "sink": "basin faucet", "toilet": "urinal commode bidet",
    "remote": "controller wii control wiimote", "mouse": "", "keyboard": "", "book": "magazine novel notebook paper",
    "clock": "watch face", "parking meter": "meter", "traffic light": "light stoplight signal",
    "stop sign": "sign", "fire hydrant": "hydrant", "kite": "", "frisbee": "disc disk", "tie": "necktie bowtie",
    "scissors": "shears scissor", "knife": "blade", "spoon": "utensil ladle", "fork": "utensil", "toothbrush": "brush",
    "microwave": "", "toaster": "", "hair drier": "dryer hairdryer",
    "person": "player team rider crowd group family officer gentleman dude skater boarder body",
}  # fmt: skip

_FAMILIES = (
    frozenset("cow sheep horse dog cat elephant bear zebra giraffe bird".split()) | {"teddy bear"},
    frozenset("bicycle motorcycle car truck bus train airplane boat".split()),
    frozenset("pizza cake sandwich donut broccoli carrot orange banana apple bowl".split()) | {"hot dog"},
    frozenset("chair couch bench bed".split()) | {"dining table"},
    frozenset("cup bottle bowl vase".split()) | {"wine glass"},
    frozenset("backpack handbag suitcase".split()), frozenset("surfboard skateboard snowboard skis".split()),
    frozenset("tv laptop".split()) | {"cell phone"}, frozenset("oven microwave refrigerator sink toaster".split()),
)  # fmt: skip
"""Kinds that small detectors mistake for one another."""
_MISTAKEN = 0.3

FOODS = frozenset("pizza cake sandwich donut broccoli carrot orange banana apple".split()) | {
    "hot dog",
    "bowl",
}
UNKNOWN = 0.3
"""What a name gets for a noun that no list knows: the right box may still be known by its place."""


@lru_cache(maxsize=4096)
def singular(word: str) -> str:
    """Returns the singular of a noun by its ending, or the word itself."""
    irregular = {"men": "man", "women": "woman", "people": "person", "children": "child", "geese": "goose",
                 "mice": "mouse", "knives": "knife", "feet": "foot", "calves": "calf", "shelves": "shelf"}  # fmt: skip
    if word in irregular:
        return irregular[word]
    if len(word) < 4 or word in {"bus", "glass", "scissors", "skis", "glasses", "pants", "jeans", "lens"}:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "buses", "oes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@lru_cache(maxsize=4096)
def meant(noun: str) -> dict[str, float]:
    """Returns how well each known name fits a noun, in 0..1; empty where no list knows the noun."""
    noun = noun.casefold().strip()
    words = noun.split()
    if not words or words[-1] in lex.ANYTHING:
        return {}
    head = singular(words[-1])
    fits: dict[str, float] = {}
    if head in lex.PERSONS or words[-1] in lex.PERSONS:
        fits["person"] = 1.0
    phrase = " ".join([*words[:-1], head])
    for name, said in _MEANS.items():
        if name in {phrase, head} or (singular(name.split()[-1]) == head and name == phrase):
            fits[name] = 1.0
        elif head == name.split()[-1]:
            fits[name] = max(fits.get(name, 0), 0.85)
        elif any(form in said.split() for form in {head, words[-1]}):
            fits[name] = max(fits.get(name, 0), 0.75)
        elif len(words) > 1 and any(singular(w) == name for w in words[:-1]):
            fits[name] = max(fits.get(name, 0), 0.5)  # "pizza slice", "cow face", "elephant butt"
    if head in {"food", "meal", "lunch", "dinner", "snack"}:
        fits |= {name: 0.75 for name in FOODS}
    return fits


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
        return 1.0 if not noun or noun.split()[-1] in lex.ANYTHING else UNKNOWN
    best = 0.02
    for rank, name in enumerate(names):
        fit = known.get(name.casefold(), 0.0)
        if not fit and any(name in family and not family.isdisjoint(known) for family in _FAMILIES):
            fit = _MISTAKEN
        best = max(best, fit * (1.0 if rank == 0 else 0.85))
    return best
