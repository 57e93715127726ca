"""The default question maker and trace maker: rules, the same as for the illustrated world."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deixis.learned.scout.photos.known import photo_known
from deixis.learned.scout.photos.stages import Ask, Recognised, Written
from deixis.learned.scout.proposals import MOST
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.scout.tape import Caller, Tape
from deixis.learned.scout.world.tasks import DENIED, SEEN

Rng = np.random.Generator

PICTURE = ("where", "find", "which", "relation", "count", "presence", "list", "caption", "outline")
PICTURE_DENIED = ("where", "find", "relation", "count", "presence")
SOUND = ("hear", "when")
PAIR = ("sound_source", "match")


class RuleQuestions:
    """Asks `count` questions about a medium, `absences` of them with an answer that denies something."""

    version = "1"

    def __init__(self, count: int = 4, absences: float = 0.34) -> None:
        self._count, self._absences = count, absences

    def ask(self, media: Sequence[SampleMedium], seen: Recognised, rng: Rng) -> Sequence[Ask]:
        """Returns questions of different tasks, as far as there are any."""
        known = photo_known(media, seen)
        picture = any(medium.kind == "image" for medium in media)
        sound = any(medium.kind == "audio" for medium in media)
        tasks = [*(PICTURE if picture else ()), *(SOUND if sound else ())]
        denied = list(PICTURE_DENIED if picture else ())
        if picture and sound and seen.sounds and _told(seen):
            tasks, denied = [*PAIR, *PAIR, *SOUND], list(PAIR)
        found: list[Ask] = []
        for _ in range(self._count):
            denies = bool(rng.random() < self._absences)
            ask = self._one(known, seen, denied if denies else tasks, denies, found, rng)
            if ask is not None:
                found.append(ask)
        if not found and (ask := self._one(known, seen, denied, True, found, rng)) is not None:
            found.append(ask)
        return found

    def _one(
        self, known: object, seen: Recognised, names: list[str], denies: bool, asked: list[Ask], rng: Rng
    ) -> Ask | None:
        for place in rng.permutation(len(names)).tolist():
            task = names[place]
            if task in ("list", "caption") and (len(seen.things) > MOST or seen.doubtful):
                continue
            options = (DENIED if denies else SEEN)[task].options(known, None)  # type: ignore[arg-type]
            fresh = [one for one in options if Ask(task, denies, one.key) not in asked]
            if fresh:
                return Ask(task, denies, fresh[int(rng.integers(len(fresh)))].key)
        return None


def _told(seen: Recognised) -> bool:
    return seen.related is not None or any(sound.makers for sound in seen.sounds)


class RuleTraces:
    """Writes traces by the rules of the illustrated world, on what a recogniser is sure of."""

    version = "1"

    def write(
        self, media: Sequence[SampleMedium], seen: Recognised, ask: Ask, caller: Caller, rng: Rng
    ) -> Written | None:
        """Returns the trace; None where there is no such thing to ask about."""
        known = photo_known(media, seen)
        maker = (DENIED if ask.denies else SEEN)[ask.task]
        option = next((one for one in maker.options(known, None) if one.key == ask.about), None)
        if option is None:
            return None
        tape = Tape(caller)
        return Written(maker.write(known, tape, rng, option), tape)
