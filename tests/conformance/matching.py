"""What every matcher must hold to, whatever it is made of; other people's matchers can run it too.

``check_verdicts`` looks at one result; ``matching_cases`` are hypothesis strategies for requests.
"""

from __future__ import annotations

from hypothesis import strategies as st

from deixis.answer import Score
from deixis.geometry import Box, TimeSpan
from deixis.tools.hearing import ClipLabel, SoundEvent
from deixis.tools.matching import Heard, MatchRequest, MatchResult, Visible

THINGS = (
    "dog", "cat", "bird", "person", "car", "truck", "train", "clock", "laptop", "guitar", "violin", "hot dog",
    "teddy bear", "sea lion", "toy train", "chair", "zebra", "toilet", "mouse", "Dog", "",
)  # fmt: skip
SOUNDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bark", ("dog", "domestic animals, pets", "animal")),
    ("meow", ("cat", "domestic animals, pets", "animal")),
    ("speech", ("human voice", "human sounds")),
    ("vehicle horn, car horn, honking", ("motor vehicle (road)", "vehicle", "sounds of things")),
    ("rain", ("water", "natural sounds")),
    ("white noise", ("noise", "channel, environment and background")),
    ("violin, fiddle", ("bowed string instrument", "musical instrument", "music")),
    ("toilet flush", ("domestic sounds, home sounds", "sounds of things")),
    ("animal", ()),
    ("never heard of it", ()),
)


def check_verdicts(request: MatchRequest, result: MatchResult) -> None:
    """Checks that the verdicts speak of what was seen and heard, and agree with each other.

    Raises:
        AssertionError: the matcher broke a rule; the message names it.
    """
    seen = {item.id for item in request.visible}
    heard = [item.id for item in request.heard]
    for pair in result.pairs:
        assert pair.sound in heard, "a verdict is on a sound of the request"
        assert pair.reason, "a verdict has a reason"
        assert (pair.thing is not None) == (pair.verdict == "matched"), (
            "a match, and only that, names a thing"
        )
        assert pair.thing is None or pair.thing in seen, "a match names a thing of the request"
        assert pair.score.kind == "none" or 0 <= pair.score.value <= 1, "a score is in 0..1"
    assert result.reason, "the verdict over all has a reason"
    said = {pair.verdict for pair in result.pairs}
    assert result.overall == "unknown" or result.overall in said, "the verdict over all is one of the pairs'"
    if request.silent or not request.heard:
        assert result.overall == "unknown" and said <= {"unknown"}, "silence decides nothing"
    if not request.visible:
        assert result.overall != "matched", "nothing seen, nothing matched"


def _score(kind: str) -> st.SearchStrategy[Score]:
    return st.floats(0, 1).map(lambda value: Score.model_validate({"value": value, "kind": kind}))


def _boxes() -> st.SearchStrategy[Box]:
    low, side = st.floats(0, 500), st.floats(0, 500)
    return st.builds(lambda x, y, w, h: Box(x1=x, y1=y, x2=x + w, y2=y + h), low, low, side, side)


def _visible() -> st.SearchStrategy[Visible]:
    names = st.lists(st.one_of(st.sampled_from(THINGS), st.text(max_size=6)), max_size=3).map(tuple)
    boxed = st.builds(Visible, id=st.just(""), names=names, score=_score("detector"), box=_boxes())
    tagged = st.builds(Visible, id=st.just(""), names=names, score=_score("tagger"), source=st.just("tagger"))
    return st.one_of(boxed, tagged)


def _events() -> st.SearchStrategy[SoundEvent]:
    return st.builds(
        lambda sound, start, length, score: SoundEvent(
            label=sound[0],
            parents=sound[1],
            span=TimeSpan(start_s=start, end_s=start + length),
            score=score,
        ),
        st.sampled_from(SOUNDS),
        st.floats(0, 60),
        st.floats(0, 20),
        _score("hearing"),
    )


def matching_cases() -> st.SearchStrategy[MatchRequest]:
    """Returns requests with things and sounds that do and do not belong together."""
    labels = st.builds(
        ClipLabel, label=st.sampled_from([sound for sound, _ in SOUNDS]), score=_score("hearing")
    )
    return st.builds(
        lambda visible, events, clip, silent: MatchRequest(
            visible=tuple(item.model_copy(update={"id": f"thing-{n}"}) for n, item in enumerate(visible, 1)),
            heard=tuple(Heard(id=f"sound-{n}", event=event) for n, event in enumerate(events, 1)),
            clip=tuple(clip),
            silent=silent,
        ),
        st.lists(_visible(), max_size=5),
        st.lists(_events(), max_size=4),
        st.lists(labels, max_size=4),
        st.booleans(),
    )
