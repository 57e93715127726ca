"""Traces of the illustrated world: pure, true, varied, and with the shares that are asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from deixis.geometry import Box
from deixis.learned.scout.proposals import chosen, proposals_of
from deixis.learned.scout.sources import SampleMedia, drawn, picture_digest, world_source
from deixis.learned.scout.world.looking import OFFERED
from deixis.learned.scout.world.maker import WorldMaker, with_side
from deixis.learned.scout.world.spec import NoiseSpec, WorldSpec
from deixis.learned.world.categories import fits
from deixis.learned.world.pairs import PairSpec
from deixis.learned.world.scenes import SceneSpec, scene
from deixis.learned.world.sounds import KINDS, ClipSpec
from tests.learned.scout.conftest import FIRST


def of(made, **facts):
    return [s for s in made if all(getattr(s, key) == value for key, value in facts.items())]


def test_the_same_seed_gives_the_same_samples(made):
    again = list(WorldMaker().samples(FIRST, 12))
    assert [s.line() for s in again] == [s.line() for s in made[: len(again)]]
    assert list(WorldMaker().samples(FIRST + 5, 1)) == list(WorldMaker().make(FIRST + 5).samples)


def test_all_tasks_media_and_absences_occur(made):
    assert {s.task for s in made} >= {
        "where", "find", "which", "relation", "attribute", "count", "presence", "caption", "hear", "when",
        "sound_presence", "sound_source", "match", "outline",
    }  # fmt: skip
    assert {s.absence for s in made} == {"", "absent", "false_premise", "unrelated_sound"}
    assert {tuple(m.kind for m in s.media) for s in made} == {("image",), ("audio",), ("image", "audio")}
    assert {step.kind for s in made for step in s.steps} == {
        "find", "locate", "select", "relate", "listen", "outline", "answer",
    }  # fmt: skip
    roles = {a.role for s in made for step in s.steps for a in step.actions}
    assert roles == {"tagging", "detection", "segmentation", "hearing", "matching"}


def test_a_quarter_denies_and_yes_is_as_common_as_no(made):
    assert 0.25 <= np.mean([bool(s.absence) for s in made]) <= 0.45
    values = Counter(s.value for s in made if s.value in ("yes", "no"))
    assert 0.35 <= values["yes"] / (values["yes"] + values["no"]) <= 0.65


@pytest.mark.parametrize(("absences", "least", "most"), [(0.0, 0.0, 0.2), (1.0, 0.8, 1.0)])
def test_the_share_of_absences_is_a_setting(absences, least, most):
    spec = WorldSpec(absences=absences, pairs=0, sounds=0.1)
    samples = list(WorldMaker(spec).samples(FIRST, 20))
    assert least <= np.mean([bool(s.absence) for s in samples]) <= most


def test_no_noise_and_no_fault_gives_the_truth():
    spec = WorldSpec(noise=NoiseSpec().times(0), pairs=0, sounds=0)
    for made in map(WorldMaker(spec).make, range(FIRST, FIRST + 15)):
        boxes = {tuple(row) for row in made.scene.boxes.tolist()}
        for sample in made.samples:
            assert all(seen.status == "ok" for step in sample.steps for seen in step.observations)
            assert all(p.box.xyxy_px in boxes for p in proposals_of(sample.steps))


def test_noise_misses_jitters_and_invents():
    spec = WorldSpec(noise=replace(NoiseSpec(), missed=0.5, spurious=2.0), pairs=0, sounds=0)
    wrong = looks = 0
    for made in map(WorldMaker(spec).make, range(FIRST, FIRST + 15)):
        truth = [Box.of(row) for row in made.scene.boxes.tolist()]
        for sample in made.samples:
            looks += sum(a.role == "detection" for step in sample.steps for a in step.actions)
            wrong += sum(
                max((p.box.iou(b) for b in truth), default=0) < 0.5 for p in proposals_of(sample.steps)
            )
        assert all(
            span.boxes == () or set(span.boxes) <= set(truth)
            for s in made.samples
            for span in s.steps[-1].spans
        )
    assert wrong > 10
    assert looks > 1.2 * 15 * 3  # what is missed is looked for again


def test_what_is_denied_is_not_there_and_what_is_claimed_is(made):
    for sample in of(made, task="presence"):
        shown = (
            set(drawn(sample.images[0].source).scene.classes.tolist())
            if "pair" in sample.media[0].source
            else set(drawn(sample.images[0].source).classes.tolist())
        )
        word = sample.steps[-1].spans[0].phrase
        request = next(a for step in sample.steps for a in step.actions if a.role == "detection")
        name = request.input["phrases"][0]
        assert bool(fits(name) & shown) == (sample.value == "yes"), (name, word)


def test_relations_hold_in_pixels(made):
    clear = {"left of": lambda a, b: a[0] < b[0], "right of": lambda a, b: a[0] > b[0],
             "above": lambda a, b: a[1] < b[1], "below": lambda a, b: a[1] > b[1]}  # fmt: skip
    seen = 0
    for sample in of(made, task="relation", absence=""):
        kind = next(kind for kind in clear if f" {kind} " in sample.question)
        spans = sample.steps[-1].spans
        assert clear[kind](spans[0].boxes[0].center, spans[1].boxes[0].center)
        seen += 1
    assert seen >= 5


def test_choices_are_of_at_most_ten_and_are_the_thing(made):
    chosen_right = 0
    for sample in made:
        for place, step in enumerate(sample.steps):
            offered = proposals_of(sample.steps, place)
            assert len(offered) <= 10
            if (
                step.kind == "select"
                and len(chosen(step.text)) == 1
                and sample.task in ("find", "relation", "which")
            ):
                box = offered[chosen(step.text)[0] - 1].box
                assert box.iou(sample.steps[-1].spans[0].boxes[0]) >= 0.5
                chosen_right += 1
    assert chosen_right > 15


def test_counts_are_the_number_of_boxes(made):
    counts = of(made, task="count")
    assert counts and all(int(s.value) == len(s.boxes) for s in counts)


def test_sounds_are_heard_when_they_are(made):
    for sample in of(made, task="when", absence=""):
        made_clip = drawn(sample.audios[0].source)
        events = made_clip.clip.events if hasattr(made_clip, "clip") else made_clip.events
        start, end = (float(part) for part in sample.value.split("-"))
        assert any(abs(e.start_s - start) < 0.06 and abs(e.end_s - end) < 0.06 for e in events)
        assert len(sample.times) == 1


def test_sources_of_sounds_show_and_unrelated_ones_do_not(made):
    for sample in of(made, task="sound_source"):
        pair = drawn(sample.media[0].source)
        if sample.absence == "unrelated_sound":
            assert not all(pair.sources) and not sample.boxes and sample.times
        elif sample.absence == "":
            names = {pair.scene.names[k] for things in pair.sources for k in things}
            assert sample.value in names and sample.boxes
        else:
            assert not pair.clip.events


def test_splits_follow_the_seeds():
    maker = WorldMaker(WorldSpec(questions=1))
    assert {s.split for s in maker.samples(7, 3)} == {"test"}
    assert {s.split for s in maker.samples(900_007, 3)} == {"validation"}
    assert {s.split for s in maker.samples(FIRST, 3)} == {"train"}


def test_validation_pairs_are_not_made_of_test_scenes():
    spec = WorldSpec(pictures=0, pairs=1, sounds=0, questions=1)
    made = WorldMaker(spec).make(900_001)
    assert made.scene is not None and made.scene.seed >= FIRST


def test_held_out_words_name_things_in_no_training():
    spec = WorldSpec(words="held_out", pairs=0, sounds=0, picture_tasks={"find": 1.0}, absences=0)
    from deixis.learned.world.categories import categories

    held = {word for kind in categories() for word in kind.held_out}
    names = [
        s.steps[-1].spans[0].phrase
        for s in WorldMaker(spec).samples(3, 8)
        if s.task == "find" and not s.absence
    ]
    assert names and set(names) <= held


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("scene", SceneSpec()),
        ("scene", SceneSpec(side=96, most=3, families=("noto", "twemoji"), kinds=(2, 3))),
        ("clip", ClipSpec(seconds=2.0, snr_db=(10.0, 20.0), kinds=("bark",))),
        ("pair", PairSpec(scene=SceneSpec(side=96), most=3)),
    ],
)
def test_a_source_draws_the_same_medium_again(kind, spec):
    from deixis.learned.scout import sources

    source = world_source(kind, FIRST + 3, spec)
    draw = {"scene": sources.drawn, "clip": sources.drawn, "pair": sources.drawn}[kind]
    made = draw(source)
    direct = {"scene": scene}.get(kind)
    if direct is not None:
        assert np.array_equal(made.pixels, direct(FIRST + 3, spec).pixels)
    if kind == "clip":
        assert {KINDS[e.kind] for e in made.events} <= {"bark"} and len(made.samples) == 32_000
    if kind == "pair":
        assert made.scene.pixels.shape[0] == 96


def test_media_are_drawn_again_and_changed_ones_refused(made):
    from deixis.errors import InputFault

    sample = next(s for s in made if s.images)
    medium = sample.images[0]
    pixels = SampleMedia(sample.media).pixels(medium.image)
    assert picture_digest(pixels) == medium.digest and pixels.shape == (160, 160, 3)
    other = medium.model_copy(update={"digest": "sha256:" + "0" * 64})
    with pytest.raises(InputFault, match="not what it was"):
        SampleMedia([other]).pixels(other.image)
    with pytest.raises(InputFault) as fault:
        drawn("world/scene:x")
    assert fault.value.code == "scout.source.unknown"
    with pytest.raises(InputFault):
        drawn("world/scene:3?nothing=4")


def test_another_side_is_another_picture():
    made = WorldMaker(with_side(WorldSpec(pairs=0, sounds=0), 96)).make(FIRST)
    assert made.scene.pixels.shape[0] == 96 and made.samples[0].media[0].source.endswith("?side=96")
    assert SampleMedia(made.samples[0].media).pixels(made.samples[0].media[0].image).shape[0] == 96


def test_real_tools_can_be_run_instead():
    from deixis.tools.detection.scripted import scripted
    from deixis.tools.toolbox import Toolbox

    box = Toolbox({"detection": scripted({"dog": [(0, 0, 30, 30)]})})
    spec = WorldSpec(pairs=0, sounds=0, picture_tasks={"find": 1}, picture_absences={"presence": 1})
    samples = list(WorldMaker(spec, box).samples(FIRST, 4))
    assert {a.tool for s in samples for step in s.steps for a in step.actions} == {"detection/scripted"}
    assert all(s.versions == {"detection/scripted": "1"} for s in samples)


def test_a_tool_that_fails_is_on_record_and_the_answer_still_true():
    from deixis.tools.detection.scripted import scripted
    from deixis.tools.toolbox import Toolbox

    box = Toolbox({"detection": scripted({}, fail="raise")})
    spec = WorldSpec(pairs=0, sounds=0, absences=0, picture_tasks={"find": 1})
    sample = next(s for s in WorldMaker(spec, box).samples(FIRST, 9) if s.task == "find")
    assert sample.steps[0].observations[0].fault["code"] == "tool.raised"
    assert sample.boxes and "None" in sample.steps[-2].text


def test_some_looks_offer_everything_and_never_look_again():
    def offering(share):
        spec = WorldSpec(pictures=1, pairs=0, sounds=0, offered=share)
        looks = []
        for sample in WorldMaker(spec).samples(1_000_300, 25):
            calls = [a.input for step in sample.steps for a in step.actions if a.role == "detection"]
            if sample.task in ("where", "find", "which", "relation", "attribute", "outline"):
                looks.append(calls)
        return looks

    assert not any(call.get("everything") for calls in offering(0.0) for call in calls)
    for calls in offering(0.95):
        if calls[0].get("everything"):
            assert len(calls) == 1 and calls[0]["threshold"] == OFFERED and not calls[0].get("phrases")
    assert sum(calls[0].get("everything", False) for calls in offering(0.95)) > 20
