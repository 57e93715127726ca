"""The rules of the light matcher, on typed requests without any network."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.tools.matching.light import light
from deixis.tools.matching.sources import is_one_of, sources_of
from tests.conformance.matching import check_verdicts, matching_cases
from tests.tools.matching.scenes import PARENTS, clip, heard, request, tag, thing


def verdict(visible, sounds, **more):
    asked = request(visible, sounds, **more)
    result = light().run(asked, None)
    check_verdicts(asked, result)
    return result


MATCHED = [
    ("bark", "dog"), ("meow", "cat"), ("chirp, tweet", "bird"), ("crowing, cock-a-doodle-doo", "bird"),
    ("crowing, cock-a-doodle-doo", "rooster"), ("moo", "cow"), ("neigh, whinny", "horse"), ("bleat", "sheep"),
    ("bleat", "goat"), ("speech", "person"), ("speech", "woman"), ("cough", "person"), ("snoring", "man"),
    ("baby cry, infant cry", "baby"), ("walk, footsteps", "person"), ("clapping", "people"),
    ("laughter", "child"), ("vehicle horn, car horn, honking", "car"), ("siren", "ambulance"),
    ("siren", "police van"), ("siren", "fire engine"), ("train horn", "train"), ("train horn", "locomotive"),
    ("engine knocking", "motorcycle"), ("engine knocking", "moped"), ("alarm clock", "clock"),
    ("tick-tock", "analog clock"), ("ringtone", "cell phone"), ("computer keyboard", "keyboard"),
    ("computer keyboard", "laptop"), ("toilet flush", "toilet"), ("water tap, faucet", "sink"),
    ("vacuum cleaner", "vacuum"), ("fusillade", "revolver"), ("fusillade", "rifle"),
    ("chainsaw", "chain saw"), ("acoustic guitar", "electric guitar"), ("violin, fiddle", "violin"),
    ("television", "tv"), ("radio", "radio"),
]  # fmt: skip


@pytest.mark.parametrize(("sound", "name"), MATCHED)
def test_what_makes_a_sound_is_matched_with_it(sound, name):
    result = verdict([thing("chair"), thing(name)], [heard(sound)])
    assert (result.overall, result.pairs[0].thing) == ("matched", "thing-2")


UNMATCHED = [
    ("bark", "cat"), ("meow", "dog"), ("chirp, tweet", "dog"), ("moo", "horse"), ("neigh, whinny", "cow"),
    ("speech", "dog"), ("cough", "bird"), ("snoring", "cat"), ("vehicle horn, car horn, honking", "dog"),
    ("vehicle horn, car horn, honking", "bicycle"), ("siren", "cat"), ("train horn", "car"),
    ("engine knocking", "dog"), ("alarm clock", "dog"), ("tick-tock", "person"), ("toilet flush", "bed"),
    ("computer keyboard", "dog"), ("bark", "hot dog"), ("meow", "teddy bear"), ("train horn", "toy train"),
]  # fmt: skip


@pytest.mark.parametrize(("sound", "name"), UNMATCHED)
def test_without_its_source_a_known_sound_is_unmatched(sound, name):
    result = verdict([thing(name)], [heard(sound)])
    assert result.overall == "unmatched"
    assert result.pairs[0].thing is None


UNKNOWN = [
    ("rain", "umbrella"), ("wind", "tree"), ("thunder", "sky"), ("white noise", "tv"), ("silence", "cat"),
    ("inside, small room", "person"), ("music", "chair"), ("music", "person"), ("music", "guitar"),
    ("animal", "dog"), ("vehicle", "car"), ("violin, fiddle", "dog"), ("fusillade", "dog"),
    ("vehicle horn, car horn, honking", "bus"), ("siren", "bus"), ("speech", "tv"),
    ("television", "dog"), ("television", "person"), ("radio", "tv"),
]  # fmt: skip


@pytest.mark.parametrize(("sound", "name"), UNKNOWN)
def test_what_cannot_be_decided_is_unknown(sound, name):
    result = verdict([thing(name)], [heard(sound)])
    assert result.overall == "unknown"
    assert result.pairs[0].thing is None


def test_nothing_is_decided_by_silence_or_by_nothing():
    assert verdict([thing("dog")], [], silent=True).overall == "unknown"
    assert verdict([thing("dog")], [heard("bark")], silent=True).pairs[0].verdict == "unknown"
    assert verdict([thing("dog")], []).overall == "unknown"


def test_one_picture_two_sounds_two_sources():
    seen = [thing("cat"), thing("dog")]
    assert verdict(seen, [heard("bark")]).pairs[0].thing == "thing-2"
    assert verdict(seen, [heard("meow")]).pairs[0].thing == "thing-1"
    both = verdict(seen, [heard("bark"), heard("meow")])
    assert [pair.thing for pair in both.pairs] == ["thing-2", "thing-1"]


def test_a_faint_sound_is_unknown():
    assert verdict([thing("dog")], [heard("bark", score=0.2)]).overall == "unknown"
    assert verdict([thing("cat")], [heard("bark", score=0.2)]).overall == "unknown"


def test_a_doubtful_thing_leaves_it_open():
    doubtful = verdict([thing("dog", score=0.32)], [heard("bark")])
    assert (doubtful.overall, doubtful.pairs[0].thing) == ("unknown", None)


def test_a_tag_is_a_second_witness():
    assert verdict([thing("dog", score=0.35)], [heard("bark")]).overall == "unknown"
    both = verdict([thing("dog", score=0.35), tag("beagle", "dog", score=0.4)], [heard("bark")])
    assert (both.overall, both.pairs[0].thing) == ("matched", "thing-1")


def test_a_tag_alone_is_matched_and_points_nowhere():
    result = verdict([thing("chair"), tag("beagle", "dog")], [heard("bark")])
    assert (result.overall, result.pairs[0].thing) == ("matched", "tag-2")


def test_a_passer_by_does_not_snore():
    small = verdict([thing("bus", area=0.6), thing("person", area=0.02)], [heard("snoring")])
    assert (small.overall, small.pairs[0].thing) == ("unknown", None)
    tiny = verdict([thing("person", area=0.005)], [heard("snoring")])
    assert tiny.overall == "unknown"
    alone = verdict([thing("person", area=0.02)], [heard("snoring")])
    assert alone.overall == "matched"
    named = verdict([thing("person", area=0.005), tag("person")], [heard("snoring")])
    assert named.overall == "matched"


def test_the_clip_as_a_whole_outweighs_a_slip():
    """Half a second of a crying baby sounds like a lamb; the whole does not."""
    sounds = [heard("baby cry, infant cry"), heard("bleat", score=0.6, seconds=0.5)]
    whole = clip(**{"baby cry, infant cry": 0.6, "crying, sobbing": 0.5})
    slip = verdict([thing("sheep")], sounds, clip=whole)
    assert (slip.overall, slip.pairs[1].verdict) == ("unmatched", "unknown")
    lamb = verdict([thing("sheep")], sounds, clip=(*whole, *clip(sheep=0.5)))
    assert lamb.pairs[1].thing == "thing-1"


def test_the_salient_sound_decides_over_all():
    sounds = [heard("speech", score=0.9, seconds=3), heard("bark", score=0.35, seconds=0.2)]
    result = verdict([thing("dog")], sounds)
    assert (result.overall, result.pairs[1].thing) == ("unmatched", "thing-1")
    result = verdict([thing("person")], sounds)
    assert result.overall == "matched"


def test_rain_beside_a_weaker_sound_leaves_it_open():
    sounds = [heard("rain", score=0.9), heard("bark", score=0.6, seconds=0.5)]
    assert verdict([thing("cat")], sounds).overall == "unknown"


def test_a_detector_of_other_names_refutes_only_what_it_knows():
    asked = request([thing("cat")], [heard("violin, fiddle"), heard("bark")])
    known = light(known=("violin", "cat")).run(asked, None)
    assert [pair.verdict for pair in known.pairs] == ["unmatched", "unknown"]


@settings(max_examples=150, deadline=None)
@given(matching_cases())
def test_keeps_the_promises_of_matchers(asked):
    result = light().run(asked, None)
    check_verdicts(asked, result)
    by_id = {item.id: item for item in asked.visible}
    events = {item.id: item.event for item in asked.heard}
    assert [pair.sound for pair in result.pairs] == [item.id for item in asked.heard]
    for pair in result.pairs:
        if pair.thing is not None:
            event = events[pair.sound]
            wanted = sources_of(event.label, event.parents).typical
            assert is_one_of(by_id[pair.thing].names, wanted), "only what makes the sound is linked"


@settings(max_examples=80, deadline=None)
@given(matching_cases(), st.randoms())
def test_order_does_not_matter(asked, random):
    visible, sounds = list(asked.visible), list(asked.heard)
    random.shuffle(visible)
    random.shuffle(sounds)
    turned = asked.model_copy(update={"visible": tuple(visible), "heard": tuple(sounds)})
    first, second = light().run(asked, None), light().run(turned, None)
    assert {pair.sound: pair.verdict for pair in first.pairs} == {
        pair.sound: pair.verdict for pair in second.pairs
    }
    assert first.overall == second.overall


@pytest.mark.parametrize("sound", PARENTS)
def test_something_unrelated_beside_it_is_never_linked(sound):
    result = verdict([thing("chair"), thing("banana"), tag("envelope")], [heard(sound)])
    assert result.overall in ("unmatched", "unknown")
