"""The table decides where it knows; the space of vectors decides the rest."""

from __future__ import annotations

from deixis.tools.matching.both import BothMatcher, both, pocket_names
from deixis.tools.matching.embedding import EmbeddingMatcher
from deixis.tools.matching.light import LightMatcher
from tests.conformance.matching import check_verdicts
from tests.tools.matching.scenes import heard, request, thing
from tests.tools.matching.test_embedding import EAST, NORTH, SOUND, Space

KNOWN = ("dog", "cat", "kettle", "lamp")


def matched(space, visible, sounds, **more):
    asked = request(visible, sounds, audio=SOUND, **more)
    matcher = BothMatcher(lambda: KNOWN, EmbeddingMatcher(space, same=0.7, other=0.4))
    result = matcher.run(asked, None)
    check_verdicts(asked, result)
    return result, LightMatcher(KNOWN).run(asked, None)


def test_where_the_table_knows_the_space_is_not_asked():
    space = Space([EAST, NORTH], [NORTH])  # the space would say the cat
    result, told = matched(space, [thing("dog"), thing("cat", number=2)], [heard("bark")])
    assert result == told and result.pairs[0].verdict == "matched" and result.pairs[0].thing == "thing-1"
    assert space.asked == []


def test_what_the_table_leaves_open_the_space_decides():
    strange = heard("white noise")
    near, far = Space([EAST, NORTH], [NORTH]), Space([EAST, EAST], [NORTH])
    for space, verdict, source in ((near, "matched", "thing-2"), (far, "unmatched", None)):
        result, told = matched(space, [thing("kettle"), thing("lamp", number=2)], [strange])
        assert told.pairs[0].verdict == "unknown"
        assert (result.pairs[0].verdict, result.pairs[0].thing) == (verdict, source)
        assert result.overall == verdict and result.pairs[0].score.kind == "cosine"


def test_each_sound_is_decided_by_itself():
    space = Space([EAST, NORTH], [EAST, NORTH])
    result, _ = matched(
        space, [thing("dog"), thing("lamp", number=2)], [heard("bark"), heard("white noise", number=2)]
    )
    assert [pair.score.kind for pair in result.pairs] == ["rule", "cosine"]
    assert [pair.thing for pair in result.pairs] == ["thing-1", "thing-2"]


def test_silence_stays_silence():
    space = Space([EAST], [EAST])
    result, told = matched(space, [thing("dog")], [heard("bark")], silent=True)
    assert result == told and space.asked == []


def test_the_profile_pocket_knows_what_its_eye_sees():
    matcher = both()
    assert matcher.weights_digest and matcher.name == "matching/both"
    assert {"dog", "trumpet"} <= set(pocket_names())
