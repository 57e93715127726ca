"""The default recogniser: a detector at two thresholds, a tagger, a listener, a matcher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deixis.answer import Score
from deixis.geometry import TimeSpan
from deixis.learned.scout.photos.stages import HeardSound, Recognised, SeenThing
from deixis.learned.scout.sample import SampleMedium
from deixis.learned.scout.tape import ToolCaller
from deixis.media.refs import MediaSource
from deixis.tools.detection.protocol import Detection, GroundRequest, GroundResult
from deixis.tools.hearing.protocol import HearRequest, HearResult
from deixis.tools.matching.protocol import Heard, MatchRequest, MatchResult, Visible
from deixis.tools.tagging.protocol import TagRequest, TagResult
from deixis.tools.toolbox import Toolbox
from deixis.tools.words.phrases import head_noun

SURE, DOUBTFUL, FAINT = 0.45, 0.25, 0.12
"""Score from which a box is a thing; from which it makes its name doubtful: nothing is asked about it; and
below which a name counts as absent, if no tag says it either."""
LEAST_SHARE = 0.004
"""Of the picture's area: smaller things are not asked about."""
HEARD = 0.4
LEAST_SECONDS = 0.2


class ToolRecogniser:
    """Recognises by the tools of a toolbox; `names` are those that may be asked for as absent."""

    version = "1"

    def __init__(self, toolbox: Toolbox, names: Sequence[str] = (), sure: float = SURE, faint: float = FAINT):
        self._toolbox, self._names, self._sure, self._faint = toolbox, tuple(names), sure, faint

    def recognise(self, media: Sequence[SampleMedium], source: MediaSource) -> Recognised:
        """Returns what the tools are sure of.

        Raises:
            DeixisError: a tool failed, or a medium cannot be read.
        """
        caller = ToolCaller(self._toolbox, source)
        versions: dict[str, str] = {}
        image = next((medium for medium in media if medium.kind == "image"), None)
        audio = next((medium for medium in media if medium.kind == "audio"), None)
        things: tuple[SeenThing, ...] = ()
        doubtful: frozenset[str] = frozenset()
        absent: tuple[str, ...] = ()
        if image is not None:
            things, doubtful, absent = self._look(caller, image, versions)
        sounds: tuple[HeardSound, ...] = ()
        related, silent = None, False
        if audio is not None:
            result: HearResult = self._call(caller, "hearing", HearRequest(audio=audio.audio), versions)
            silent = result.silent
            events = [
                event
                for event in result.events
                if event.score.value >= HEARD and event.span.duration_s >= LEAST_SECONDS
            ]
            sounds = tuple(HeardSound(_first(event.label), _inside(event.span, audio)) for event in events)
            if image is not None and events and things:
                sounds, related = self._match(caller, (image, audio), things, events, versions)
        return Recognised(things, sounds, doubtful, absent, related, silent, versions)

    def _call(self, caller: ToolCaller, role: Any, request: Any, versions: dict[str, str]) -> Any:
        given = caller.call(role, request)
        versions[caller.name(role)] = caller.version(role)
        return given

    def _look(
        self, caller: ToolCaller, image: SampleMedium, versions: dict[str, str]
    ) -> tuple[tuple[SeenThing, ...], frozenset[str], tuple[str, ...]]:
        request = GroundRequest(image=image.image, everything=True, threshold=self._faint)
        given: GroundResult = self._call(caller, "detection", request, versions)
        sure = [one for one in given.everything if self._is_thing(one, image)]
        sure.sort(key=lambda one: (one.name, one.box.center))
        faint = {one.name for one in given.everything} | self._tags(caller, image, versions)
        doubtful = frozenset(
            one.name
            for one in given.everything
            if not self._is_thing(one, image) and one.score.value >= min(DOUBTFUL, self._sure)
        )
        known = self._names or tuple(getattr(self._toolbox.get("detection"), "names", ()))
        near = faint | {head_noun(name) for name in faint}
        absent = tuple(name for name in known if name not in near and head_noun(name) not in near)
        things = tuple(SeenThing(one.name, one.box, one.score.value) for one in sure)
        return things, doubtful, absent

    def _is_thing(self, one: Detection, image: SampleMedium) -> bool:
        return one.score.value >= self._sure and one.box.area >= LEAST_SHARE * image.size.area

    def _tags(self, caller: ToolCaller, image: SampleMedium, versions: dict[str, str]) -> set[str]:
        if "tagging" not in self._toolbox.roles():
            return set()
        result: TagResult = self._call(caller, "tagging", TagRequest(image=image.image, top=50), versions)
        return {name for tag in result.tags for name in (tag.label, *tag.kinds)}

    def _match(
        self,
        caller: ToolCaller,
        media: tuple[SampleMedium, SampleMedium],
        things: tuple[SeenThing, ...],
        events: Sequence[Any],
        versions: dict[str, str],
    ) -> tuple[tuple[HeardSound, ...], bool | None]:
        """Returns the sounds with their makers, and whether all, none, or (None) some have one."""
        audio = media[1]
        request = MatchRequest(
            visible=tuple(
                Visible(
                    id=str(k), names=(one.name,), score=Score(value=one.score, kind="detector"), box=one.box
                )
                for k, one in enumerate(things)
            ),
            heard=tuple(Heard(id=str(k), event=event) for k, event in enumerate(events)),
            image=media[0].image,
            audio=audio.audio,
        )
        if "matching" not in self._toolbox.roles():
            return tuple(HeardSound(_first(e.label), _inside(e.span, audio)) for e in events), None
        result: MatchResult = self._call(caller, "matching", request, versions)
        pairs = {pair.sound: pair for pair in result.pairs}
        sounds, found = [], []
        for k, event in enumerate(events):
            pair = pairs.get(str(k))
            if pair is None or pair.verdict == "unknown":
                return tuple(HeardSound(_first(e.label), _inside(e.span, audio)) for e in events), None
            name = things[int(pair.thing)].name if pair.thing is not None else ""
            makers = tuple(n for n, thing in enumerate(things) if name and thing.name == name)
            sounds.append(HeardSound(_first(event.label), _inside(event.span, audio), makers))
            found.append(bool(makers))
        return tuple(sounds), all(found) if all(found) or not any(found) else None


def _first(label: str) -> str:
    """Returns the first of the names in an AudioSet label."""
    return label.partition(",")[0].strip()


def _inside(span: TimeSpan, audio: SampleMedium) -> TimeSpan:
    end = audio.seconds or span.end_s
    return TimeSpan(start_s=min(span.start_s, end), end_s=min(span.end_s, end))
