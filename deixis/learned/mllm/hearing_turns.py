"""Questions about a sound, or about a sound and a picture, and their plain answers."""

from __future__ import annotations

from collections.abc import Callable

from deixis.learned.mllm.seeing_turns import NUMBERS, Rng, Turn, one_of
from deixis.learned.world.categories import categories
from deixis.learned.world.pairs import WorldPair
from deixis.learned.world.questions import with_article
from deixis.learned.world.sounds import KINDS, SOUNDING, Clip

APART_S = 0.3
"""Seconds by which starts differ where their order is asked."""


def heard(clip: Clip, rng: Rng) -> Turn | None:
    """Asks what is heard, in the order of the starts."""
    question = one_of(rng, ("What do you hear?", "Which sounds are there?", "Name the sounds."))
    names = list(dict.fromkeys(KINDS[event.kind] for event in clip.events))
    return Turn(question, ", ".join(names) or "nothing", "heard")


def sounding(clip: Clip, rng: Rng) -> Turn | None:
    """Asks for a sound that is heard."""
    if not clip.events:
        return None
    name = KINDS[clip.events[int(rng.integers(len(clip.events)))].kind]
    return Turn(_asked(name, rng), "yes", "sound_presence")


def unheard(clip: Clip, rng: Rng) -> Turn | None:
    """Asks for a sound that is not heard, mostly for kin of one that is."""
    own = {event.kind for event in clip.events}
    others = [number for number in range(len(KINDS)) if number not in own]
    parents = {parent for kind in own for parent in SOUNDING[kind].parents[:1]}
    near = [number for number in others if parents & set(SOUNDING[number].parents)]
    chosen = near if near and rng.random() < 0.6 else others
    return Turn(_asked(KINDS[chosen[int(rng.integers(len(chosen)))]], rng), "no", "sound_presence")


def _asked(name: str, rng: Rng) -> str:
    return one_of(rng, ("Do you hear a {} sound?", "Is there a {} sound?", "Does it sound like {}?")).format(
        name
    )


def how_many(clip: Clip, rng: Rng) -> Turn | None:
    """Asks how many kinds of sound there are."""
    count = len({event.kind for event in clip.events})
    return Turn(
        one_of(rng, ("How many sounds are there?", "How many sounds do you hear?")),
        NUMBERS[count],
        "sound_count",
    )


def order(clip: Clip, rng: Rng) -> Turn | None:
    """Asks which sound comes first or last, where that is clear."""
    events = sorted(clip.events, key=lambda event: event.start_s)
    if len(events) < 2 or len({event.kind for event in events}) < len(events):
        return None
    if rng.random() < 0.5 and events[1].start_s - events[0].start_s > APART_S:
        return Turn("Which sound comes first?", KINDS[events[0].kind], "sound_order")
    if events[-1].start_s - events[-2].start_s > APART_S:
        return Turn("Which sound comes last?", KINDS[events[-1].kind], "sound_order")
    return None


SOUND_SKILLS: tuple[tuple[Callable[[Clip, Rng], Turn | None], float], ...] = (
    (heard, 1.2), (sounding, 1.2), (unheard, 1.2), (how_many, 0.5), (order, 0.8),
)  # fmt: skip


def source(pair: WorldPair, rng: Rng) -> Turn | None:
    """Asks what makes the sound."""
    if not pair.clip.events:
        return None
    makers = {int(pair.scene.classes[one]) for several in pair.sources for one in several}
    if len(makers) > 1 or (pair.matched is None and not makers):
        return None
    question = one_of(rng, ("What makes the sound?", "Who makes this sound?"))
    named = with_article(categories()[makers.pop()].name) if makers else "nothing in the picture"
    return Turn(question, named, "source")


def related(pair: WorldPair, rng: Rng) -> Turn | None:
    """Asks whether picture and sound belong together."""
    if pair.matched is None:
        return None
    question = one_of(
        rng, ("Do the picture and the sound belong together?", "Does the sound fit the picture?")
    )
    return Turn(question, "yes" if pair.matched else "no", "match")


PAIR_SKILLS: tuple[tuple[Callable[[WorldPair, Rng], Turn | None], float], ...] = (
    (source, 1.0),
    (related, 1.0),
)
