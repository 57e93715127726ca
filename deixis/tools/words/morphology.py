"""Singular, plural and article of English nouns, by rules and a table of exceptions.

The library `inflect` was tried: its singular turns 'bus' into 'bu' and 'scissors' into 'scissor', and
importing it takes 1.5 s. Nouns for visible and audible things need few rules.
"""

from __future__ import annotations

IRREGULAR = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "mouse": "mice",
    "goose": "geese", "foot": "feet", "tooth": "teeth", "ox": "oxen", "louse": "lice", "die": "dice",
    "knife": "knives", "wife": "wives", "life": "lives", "wolf": "wolves", "calf": "calves",
    "half": "halves", "leaf": "leaves", "loaf": "loaves", "shelf": "shelves", "thief": "thieves",
    "scarf": "scarves", "hoof": "hooves", "elf": "elves", "cactus": "cacti", "fungus": "fungi",
    "hippopotamus": "hippopotamuses", "octopus": "octopuses", "platypus": "platypuses", "bus": "buses",
    "gas": "gases", "canvas": "canvases", "atlas": "atlases", "rhinoceros": "rhinoceroses",
    "taxi": "taxis", "bikini": "bikinis", "kiwi": "kiwis",
    "zucchini": "zucchinis", "emoji": "emojis", "lens": "lenses", "iris": "irises",
    "walrus": "walruses", "crocus": "crocuses",
    "virus": "viruses", "campus": "campuses", "chorus": "choruses", "circus": "circuses",
    "minibus": "minibuses", "trolleybus": "trolleybuses", "lotus": "lotuses", "abacus": "abacuses",
    "thermos": "thermoses", "asparagus": "asparagus", "compass": "compasses", "quiz": "quizzes",
    "cello": "cellos", "piano": "pianos", "photo": "photos", "banjo": "banjos", "radio": "radios",
    "kangaroo": "kangaroos", "zoo": "zoos", "zero": "zeros", "avocado": "avocados", "burrito": "burritos",
    "flamingo": "flamingos", "dingo": "dingos", "rhino": "rhinos", "hippo": "hippos", "taco": "tacos",
    "kimono": "kimonos", "dynamo": "dynamos", "casino": "casinos", "video": "videos", "studio": "studios",
    "movie": "movies", "cookie": "cookies", "pie": "pies", "tie": "ties", "selfie": "selfies",
    "birdie": "birdies", "zombie": "zombies", "genie": "genies", "brownie": "brownies",
    "smoothie": "smoothies", "necktie": "neckties", "bowtie": "bowties", "collie": "collies",
    "axe": "axes", "horse": "horses", "house": "houses", "nurse": "nurses", "purse": "purses",
    "vase": "vases", "suitcase": "suitcases", "case": "cases", "base": "bases", "nose": "noses",
    "rose": "roses", "hose": "hoses", "cheese": "cheeses", "blouse": "blouses", "tortoise": "tortoises",
    "noise": "noises", "moose": "moose", "cottage cheese": "cottage cheese", "shoe": "shoes",
    "toe": "toes", "canoe": "canoes", "hoe": "hoes", "cache": "caches", "quiche": "quiches",
    "headache": "headaches", "moustache": "moustaches", "mustache": "mustaches", "bookcase": "bookcases",
    "doghouse": "doghouses", "greenhouse": "greenhouses", "seahorse": "seahorses", "phrase": "phrases",
    "briefcase": "briefcases", "exercise": "exercises", "prize": "prizes", "size": "sizes",
    "maze": "mazes", "snooze": "snoozes", "bruise": "bruises", "cruise": "cruises", "applause": "applause",
}  # fmt: skip
"""Singular → plural, where the rules below fail one way or the other."""

INVARIANT = frozenset(
    """sheep fish deer series species aircraft spacecraft hovercraft news tennis scissors pants jeans shorts
    trousers glasses sunglasses eyeglasses goggles binoculars tongs pliers pyjamas pajamas skis tights
    leggings headphones earphones furniture luggage music traffic rice grass bread water broccoli
    salmon trout squid bison swine cattle hair gymnastics clothes stairs billiards darts dominoes overalls
    tweezers shears speech thunder rain wind laughter applause noise jewelry equipment software""".split()
)
"""Said the same way of one and of several; 'glasses' and 'skis' are single things to a detector."""

_SINGULAR = {plural: singular for singular, plural in IRREGULAR.items()}
_NEVER_PLURAL = ("ss", "us", "is", "ics", "ness")
"""Endings of singular nouns that end in s: 'glass', 'bus', 'tennis', 'physics'."""
_VOWELS = "aeiou"


def _same_case(pattern: str, word: str) -> str:
    if pattern.isupper() and len(pattern) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if pattern[:1].isupper() else word


def singular(noun: str) -> str:
    """Returns the singular of a noun, or of the last word of a compound; a singular stays as it is."""
    if " " in noun:
        first, _, last = noun.rpartition(" ")
        return f"{first} {singular(last)}"
    low = noun.lower()
    if low in ("skis",):
        return noun
    if low in _SINGULAR and low != "people":
        return _same_case(noun, _SINGULAR[low])
    if low == "people":
        return _same_case(noun, "person")
    if low in IRREGULAR or low in INVARIANT or (len(low) < 4 and low not in ("tvs", "pcs")):
        return noun
    for ending in ("men", "women", "children", "people", "mice", "geese", "feet", "teeth"):
        if low.endswith(ending) and len(low) > len(ending) + 1:
            return noun[: -len(ending)] + _SINGULAR[ending]
    if low.endswith("ies"):
        return noun[:-3] + "y"
    if low.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return noun[:-2]
    if low.endswith("oes"):
        return noun[:-2]
    if low.endswith("s") and not low.endswith(_NEVER_PLURAL):
        return noun[:-1]
    return noun


def plural(noun: str) -> str:
    """Returns the plural of a singular noun, or of the last word of a compound."""
    if " " in noun:
        first, _, last = noun.rpartition(" ")
        return f"{first} {plural(last)}"
    low = noun.lower()
    if low in INVARIANT or not low:
        return noun
    if low in IRREGULAR:
        return _same_case(noun, IRREGULAR[low])
    for ending in ("woman", "man", "child", "person", "mouse", "goose", "foot", "tooth"):
        if low.endswith(ending) and low not in ("human", "german", "talisman", "ottoman", "caiman"):
            return noun[: -len(ending)] + IRREGULAR[ending]
    if low.endswith("y") and len(low) > 1 and low[-2] not in _VOWELS:
        return noun[:-1] + "ies"
    if low.endswith(("s", "x", "z", "ch", "sh")) or (
        low.endswith("o") and len(low) > 1 and low[-2] not in _VOWELS
    ):
        return noun + "es"
    return noun + "s"


def is_plural(noun: str) -> bool:
    """Returns whether the last word of a noun phrase is in the plural."""
    last = noun.rpartition(" ")[2].lower()
    return last not in INVARIANT and singular(last) != last


_SILENT_H = ("hour", "honest", "honor", "honour", "heir")
_YOU = ("uni", "use", "usu", "ute", "ukulele", "eu", "one", "once", "ufo", "ure", "utensil")
_SPELLED_VOWEL = "aefhilmnorsx"
"""Letters whose names begin with a vowel: an X-ray, an MP3 player."""


def article(noun: str) -> str:
    """Returns 'a' or 'an', by how the first word sounds."""
    first = noun.strip().split(" ", 1)[0]
    low = first.lower()
    if not low:
        return "a"
    if low[0] in "0123456789":
        return "an" if low.startswith(("8", "11", "18")) else "a"
    spelled = (len(first) > 1 and first.isupper() and not any(c in "AEIOU" for c in first[1:])) or (
        len(low) > 1 and low[1] == "-"
    )
    if spelled:
        return "an" if low[0] in _SPELLED_VOWEL else "a"
    if low.startswith(_SILENT_H):
        return "an"
    if low.startswith(_YOU):
        return "an" if low.startswith(("unin", "unim")) else "a"
    return "an" if low[0] in _VOWELS else "a"
