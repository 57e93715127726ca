"""The words that the pocket MLLM's tokenizer knows as wholes."""

from __future__ import annotations

from collections.abc import Iterable

from deixis.learned.world.categories import categories, wide_words
from deixis.learned.world.colours import COLOURS
from deixis.learned.world.grounds import GROUNDS
from deixis.learned.world.questions import TEMPLATES
from deixis.learned.world.relations import RELATIONS
from deixis.learned.world.sounds.kinds import SOUNDING
from deixis.tools.words.phrases import words_of

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SIGNS = ".,;:?!'\"()[]{}#-+*/%&=<>_|@$~^`\\’‘“”–—…°×"
COMMON = """
a an the any some all both each every no none not nothing something anything one two three four five six
seven eight nine ten eleven twelve first second third last next other another same different only more
most less least many much few several pair group single double half whole i you he she it we they this
that these those there here who whom whose which what where when why how is are was were be been being am
has have had having do does did doing done can could may might must shall should will would let lets
let's and or but so because therefore since if then else than as while though although also too very
quite just even still already again never always maybe perhaps probably surely certainly clearly about
around nearly almost of in on at to from by for with without into onto over under above below beside
between behind before after during until near across along through towards against inside outside off up
down left right top bottom middle centre center side edge corner upper lower front back foreground
background see seen saw look looks looked looking show shows shown showing find finds found finding point
points pointed pointing locate locates located locating hear hears heard hearing listen listens listened
listening sound sounds sounding noise noises silence silent quiet loud louder quieter make makes made
making come comes coming came name names named call calls called asked ask asks answer answers question
say says said tell tells know known choose chooses chosen choosing select selected pick picked match
matches matched matching unmatched unknown relate related unrelated relation relations compare compared
count counts counted counting number numbers proposal proposals candidate candidates box boxes region
regions thing things object objects kind kinds picture pictures image images photo scene clip audio
recording video small smaller smallest big bigger biggest large larger largest tall short wide long high
low old young new colour colours color colored coloured dark light bright striped round many-coloured yes
absent present visible missing false true premise wrong correct correctly sure unsure start starts
started begin begins end ends ended lasts seconds time times earlier later source sources maker makers
produce produces produced hidden offscreen screen elsewhere tagging detection segmentation embedding
linking mask masks tag tags tagged detect detected grounder detector tool tools step steps check checks
checked verify verified result results gave given give gives need needs needed want wanted use used using
get got take takes taken put puts set stop stopped contains contain containing include includes including
exactly instead fits fit drawn drawing alone together stands stand standing lies lie lying sits sit
closest nearest farther further far close closer away apart besides except neither either nor describe
caption description word words phrase phrases list text grounded ground sky grass street room water beach
sea snow night desert forest kitchen table wall floor field cannot can't don't doesn't isn't aren't
there's it's that's what's fault failed everything covered leftmost rightmost topmost lowest highest
bottommost crackling slithering chime chiming chimes drumming outline outlined outlines playing ringing
ticking barking crying laughing coughing singing talking engine music cell wine glass cut out thirds
halves part parts meant means mean meaning belongs belong goes go going went play plays unclear plain
plainly simply
""".split()


def names_of_things() -> frozenset[str]:
    """Returns the names of things and sounds of the world, one and several of each, in lower case."""
    found = {kind.name for kind in SOUNDING}
    for thing in categories():
        names = {word.lower() for word in (*thing.words, *thing.held_out)}
        found |= names | {thing.plural.lower()} | {_plural(word) for word in names}
    return frozenset(found)


def known_words(texts: Iterable[str] = ()) -> tuple[str, ...]:
    """Returns every word and name of several words, in lower case, sorted; those of `texts` are added."""
    found: set[str] = set(COMMON) | set(COLOURS) | set(wide_words()) | names_of_things()
    for thing in categories():
        wider = {*thing.broader, *thing.narrower}
        found |= {word.lower() for word in wider} | {_plural(word) for word in wider}
    found |= {_plural(word) for word in wide_words()}
    for kind in SOUNDING:
        found |= {kind.name, kind.label.replace(",", " ").split()[0], f"{kind.name}s", f"{kind.name}ing"}
        found |= {word.lower() for part in (kind.label, *kind.parents) for word in words_of(part)}
    found |= {word for name in (*GROUNDS, *RELATIONS) for word in name.split()}
    for several in TEMPLATES.values():
        found |= {word.lower() for text in several for word in words_of(text)}
    for text in texts:
        found |= {word.lower() for word in words_of(text)}
    return tuple(sorted(word for word in found if word and word == word.strip()))


def _plural(word: str) -> str:
    """Returns a regular plural."""
    word = word.lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"
