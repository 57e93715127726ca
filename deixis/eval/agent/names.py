"""Whether a label of an answer is a name of what is there."""

from __future__ import annotations

from functools import cache

from deixis.eval.agent.data import Sounded
from deixis.eval.mllm import wording
from deixis.learned.scout.wording import SOUNDS, bare
from deixis.learned.world.categories import categories, fits
from deixis.tools.words import lexicon
from deixis.tools.words.morphology import singular


def fits_thing(label: str, name: str, world: bool) -> bool:
    """Returns whether `label` names a thing of the kind `name`: by the same word, or a wider one."""
    said = " ".join(label.casefold().split())
    if world:
        return name in _kinds(said)
    first, _, last = said.rpartition(" ")
    one = f"{first} {singular(last)}".strip()
    wider = lexicon.synonym(one)
    return name.casefold() in {said, one, wider, singular(last)}


@cache
def _kinds(said: str) -> frozenset[str]:
    """Returns the names of the kinds that words may mean, whatever stands before their noun."""
    words = said.split()
    for start in range(len(words)):
        phrase = " ".join(words[start:])
        several = " ".join((*words[start:-1], singular(words[-1])))
        kinds = fits(phrase) or fits(several)
        if kinds:
            return frozenset(categories()[kind].name for kind in kinds)
        named = wording.families()["things"].get(phrase)
        if named:
            return frozenset((named,))
    return frozenset()


def fits_sound(label: str, sound: Sounded) -> bool:
    """Returns whether `label` names a sound: its kind, the label of listeners, or how it is said."""
    said = label.casefold()
    own = {sound.name, sound.label.casefold(), bare(SOUNDS.get(sound.name, sound.name)).casefold()}
    return said in own or said.partition(",")[0] in {one.partition(",")[0] for one in own}
