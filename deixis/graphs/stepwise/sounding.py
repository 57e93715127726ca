"""Whether words for a sound surely name another sound than the one that was heard."""

from __future__ import annotations

from collections.abc import Sequence

from deixis.graphs.answering.sounds import OF_SOUNDS, sounds_like
from deixis.graphs.stepwise.requests import plain
from deixis.tools.hearing.protocol import SoundEvent
from deixis.tools.matching.sources import Sources, entries, sources_of


def is_another(phrase: str, event: SoundEvent, others: Sequence[SoundEvent] = ()) -> bool:
    """Returns whether the words name sounds that other things make than what was heard.

    'A chime' is no buzzing of a bee; whether it is a ringtone stays open. So does what the words mean where
    the table of sources knows no such sound, unless one of the `others` of the same clip is called so.
    """
    said = plain(phrase)
    first, _, last = said.rpartition(" ")
    said = first if first and last in OF_SOUNDS else said
    if said in OF_SOUNDS or sounds_like(said, event.label, (event.label, *event.parents)):
        return False
    if any(sounds_like(said, one.label, (one.label, *one.parents)) for one in others):
        return True
    named = [sources_of(kind) for kind in entries() if sounds_like(said, kind, (kind,))]
    makers = _makers(sources_of(event.label, event.parents))
    return bool(named and makers) and all(makers.isdisjoint(_makers(one) or makers) for one in named)


def _makers(sources: Sources) -> frozenset[str]:
    return frozenset((*sources.typical, *sources.plausible))
