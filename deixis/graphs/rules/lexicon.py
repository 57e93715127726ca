"""The closed word lists that questions and referring expressions are read with."""

from __future__ import annotations

COLOURS = {
    "red": "red", "maroon": "red", "crimson": "red", "burgundy": "red", "scarlet": "red",
    "orange": "orange", "yellow": "yellow", "gold": "yellow", "golden": "yellow",
    "green": "green", "olive": "green", "lime": "green", "teal": "teal",
    "turquoise": "teal", "cyan": "teal", "aqua": "teal", "blue": "blue", "navy": "blue", "denim": "blue",
    "purple": "purple", "violet": "purple", "lavender": "purple", "pink": "pink", "magenta": "pink",
    "brown": "brown", "tan": "tan", "beige": "tan", "khaki": "tan", "cream": "tan", "black": "black",
    "white": "white", "grey": "gray", "gray": "gray", "silver": "gray", "dark": "dark", "darker": "dark",
    "darkest": "dark", "light": "light", "lighter": "light", "lightest": "light", "bright": "light",
}  # fmt: skip
"""Colour words and the colour they are measured as; dark and light are lightness only."""

UPPER = frozenset(
    """shirt shirts tshirt tee top blouse jacket coat sweater sweatshirt hoodie vest jersey suit tie dress
    uniform sweatsuit tank robe scarf outfit clothes clothing apron tuxedo cardigan polo gown stripes striped
    plaid bikini swimsuit wetsuit camo camouflage kimono pajamas sari jumpsuit overalls costume shawl
    blazer windbreaker parka pullover collar sleeve sleeves""".split()
)
LOWER = frozenset(
    "pants jeans shorts skirt trousers leggings tights socks shoes boots sneakers trunks cleats".split()
)
HEADWEAR = frozenset(
    "hat cap helmet hair haired hairs beanie hood headband glasses sunglasses beard mustache visor".split()
)
GARMENTS = UPPER | LOWER | HEADWEAR
"""What people wear: a coloured one names its wearer ("red shirt" is the person in it)."""

PERSONS = frozenset(
    """person persons people man men woman women guy guys lady ladies boy boys girl girls kid kids child
    children baby babies dude gentleman fellow chick gal player batter catcher pitcher umpire ump skier
    skateboarder surfer snowboarder rider bride groom chef cook waiter waitress worker spectator audience
    officer policeman cop fireman soldier someone somebody anyone anybody mom mother dad father daughter son
    teen teenager toddler adult male female student teacher passenger pedestrian driver cyclist biker hand
    arm head face leg he she him her his bro human humans brother sister friend couple coach referee
    goalie bowler dancer artist speaker singer musician customer tourist jockey cowboy farmer""".split()
)

SIDES = {
    "left": "left", "leftmost": "left", "lefthand": "left", "lft": "left", "leftest": "left", "l": "left",
    "right": "right", "rightmost": "right", "righthand": "right", "rt": "right", "rightest": "right",
    "middle": "middle", "center": "middle", "centre": "middle", "mid": "middle", "central": "middle",
    "centermost": "middle", "middlemost": "middle", "centered": "middle",
    "top": "top", "upper": "top", "topmost": "top", "uppermost": "top", "highest": "top",
    "bottom": "bottom", "lower": "bottom", "lowest": "bottom", "bottommost": "bottom",
    "front": "front", "foreground": "front", "forefront": "front", "closest": "front", "nearest": "front",
    "closer": "front", "foremost": "front", "frontmost": "front", "nearer": "front",
    "back": "back", "background": "back", "rear": "back", "furthest": "back", "farthest": "back",
    "backmost": "back", "distant": "back", "distance": "back", "further": "back", "farther": "back",
    "corner": "corner", "edge": "corner",
}  # fmt: skip
"""Position words and the side they mean."""

MOST = frozenset(
    """leftmost rightmost topmost bottommost uppermost far very extreme all most furthest farthest closest
    nearest highest lowest foremost frontmost backmost leftest rightest""".split()
)

SIZES = {
    "big": "large", "bigger": "large", "biggest": "large", "large": "large", "larger": "large",
    "largest": "large", "huge": "large", "giant": "large", "small": "small", "smaller": "small",
    "smallest": "small", "little": "small", "tiny": "small", "tiniest": "small", "littlest": "small",
    "tall": "tall", "taller": "tall", "tallest": "tall", "short": "short", "shorter": "short",
    "shortest": "short", "wide": "wide", "wider": "wide", "widest": "wide", "thin": "thin",
    "thinner": "thin", "thinnest": "thin", "narrow": "thin", "long": "long", "longer": "long",
    "longest": "long", "main": "large", "mini": "small", "full": "large",
}  # fmt: skip

ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5,
    "5th": 5, "sixth": 6, "6th": 6, "seventh": 7, "7th": 7, "eighth": 8, "8th": 8, "ninth": 9, "9th": 9,
    "tenth": 10, "10th": 10, "last": -1,
}  # fmt: skip
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "1": 1, "2": 2, "3": 3, "4": 4}
NUMBERS |= {"5": 5, "6": 6, "7": 7, "8": 8, "9": 9}

DETERMINERS = frozenset(
    """a an the any some this that these those my your his her its our their all each every another
    no either both""".split()
)
PICTURE = frozenset(
    """picture image photo photograph pic scene frame screen shot snapshot view painting drawing pics
    images pictures photos""".split()
)
SOUND = frozenset("sound sounds noise noises audio recording clip soundtrack track listening".split())
VIEWER = frozenset("us camera viewer you me photographer lens".split())

ANYTHING = frozenset(
    """one ones thing things object objects item items stuff something anything part piece side area
    section it that what which""".split()
)
"""Heads that say nothing about the kind of thing."""

SOUND_VERBS = {
    verb: stem
    for stem, forms in {
        "bark": "bark barks barking barked", "meow": "meow meows meowing", "ring": "ring rings ringing rang",
        "honk": "honk honks honking honked", "sing": "sing sings singing sang",
        "chirp": "chirp chirps chirping",
        "speak": "speak speaks speaking spoke", "talk": "talk talks talking talked",
        "cry": "cry cries crying cried",
        "laugh": "laugh laughs laughing laughed", "cough": "cough coughs coughing coughed",
        "shout": "shout shouts shouting shouted", "scream": "scream screams screaming screamed",
        "whistle": "whistles whistling whistled", "beep": "beep beeps beeping beeped",
        "clap": "clap claps clapping clapped", "growl": "growl growls growling", "howl": "howl howls howling",
        "roar": "roar roars roaring", "sneeze": "sneeze sneezes sneezing", "snore": "snore snores snoring",
        "tick": "tick ticks ticking", "buzz": "buzz buzzes buzzing", "hum": "hum hums humming",
        "quack": "quack quacks quacking", "moo": "moo moos mooing", "neigh": "neigh neighs neighing",
        "cluck": "cluck clucks clucking", "crow": "crows crowing", "hiss": "hiss hisses hissing",
        "purr": "purr purrs purring", "squeal": "squeal squeals squealing", "whine": "whine whines whining",
        "rumble": "rumble rumbles rumbling", "thunder": "thundering thunders", "typing": "typing type types",
        "knock": "knock knocks knocking", "applaud": "applaud applauds applauding",
        "toot": "toot toots tooting", "wail": "wail wails wailing",
    }.items()
    for verb in forms.split()
}  # fmt: skip
"""Forms of verbs whose doing is heard, and their stem."""

SOUND_NOUNS = frozenset(
    """siren sirens thunder speech music applause laughter whistle whistling alarm alarms footsteps
    bark barking barks meow meowing meows ringing honk honking chirping birdsong beep beeping voice voices
    talking singing noise sound conversation shouting screaming coughing cough sneeze sneezing snoring
    clapping cheering buzzing humming ticking typing melody song rumble roar growl silence explosion gunshot
    gunshots bang splash crash echo ringtone hiss purring howling squeak creak rustling
    chatter tune""".split()
)
"""Nouns that name a sound rather than a thing."""
