"""Traces of real media: every stage is replaceable; the defaults work on fakes and on real photos."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.geometry import Box
from deixis.learned.scout.checks.again import AgreementRule, RegroundRule
from deixis.learned.scout.checks.form import form_rules
from deixis.learned.scout.checks.rule import Checker
from deixis.learned.scout.photos.asking import RuleQuestions, RuleTraces
from deixis.learned.scout.photos.maker import PhotoMaker, media_files
from deixis.learned.scout.photos.pairs import read_pairs
from deixis.learned.scout.photos.recogniser import ToolRecogniser
from deixis.learned.scout.photos.stages import Ask, Recognised, SeenThing, Written
from deixis.learned.scout.tape import Tape
from deixis.learned.scout.world.looking import Draft
from deixis.tools.detection.scripted import scripted
from deixis.tools.hearing.scripted import scripted as hearing
from deixis.tools.matching.scripted import scripted as matching
from deixis.tools.toolbox import Toolbox

TABLE = {"dog": [(10, 40, 60, 90)], "cup": [(100, 40, 130, 80), (150, 42, 180, 82)], "owl": []}


@pytest.fixture
def folder(tmp_path) -> Path:
    import soundfile
    from PIL import Image

    for name, shade in (("a.png", 90), ("b.png", 120), ("c.png", 150)):
        Image.new("RGB", (200, 100), (shade, 40, 40)).save(tmp_path / name)
    soundfile.write(tmp_path / "s.wav", np.sin(np.arange(32_000) / 9) * 0.4, 16_000)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def box(**more: object) -> Toolbox:
    return Toolbox({"detection": scripted(TABLE), **more})


def test_the_default_stages_work_on_scripted_tools(folder):
    maker = PhotoMaker(folder, box(), ToolRecogniser(box(), names=list(TABLE)), RuleQuestions(count=12))
    checker = Checker([*form_rules(), RegroundRule(scripted(TABLE), folder), AgreementRule(maker.again)])
    samples = [s for unit in media_files(folder)[:3] for s in maker.make(unit)]
    assert len(samples) > 15 and {s.absence for s in samples} >= {"", "absent"}
    assert {s.task for s in samples} >= {"where", "count", "presence"}
    for unit in media_files(folder)[:3]:
        assert all(good for _, good in checker.sorted_out(maker.make(unit)))
    for sample in samples:
        if sample.task == "count":
            name = sample.steps[-1].spans[0].phrase
            assert sample.value == {"dog": "1", "cups": "2", "owl": "0"}[name]
        assert sample.media[0].source in ("a.png", "b.png", "c.png")
    assert set(samples[0].versions) == {"recogniser", "questions", "traces", "detection/scripted"}


def test_making_is_a_function_of_the_file_and_the_seed(folder):
    one = PhotoMaker(folder, box()).make(("a.png",))
    assert one == PhotoMaker(folder, box()).make(("a.png",)) and one


def test_a_picture_and_a_sound_together(folder):
    tools = box(
        hearing=hearing({"bark": [(0.2, 1.5)]}, {"bark": ("dog",)}), matching=matching({"bark": "dog"})
    )
    samples = PhotoMaker(folder, tools, questions=RuleQuestions(count=8, absences=0)).make(("a.png", "s.wav"))
    source = next(s for s in samples if s.task == "sound_source")
    assert source.value == "dog" and source.boxes[0] == Box.of(TABLE["dog"][0]) and source.times
    assert Checker(form_rules()).judge(source).verdicts[0].passed


def test_every_stage_can_be_replaced(folder):
    class Saw:
        version = "7"

        def recognise(self, media, source):
            assert source.pixels(media[0].image).shape == (100, 200, 3)
            return Recognised(things=(SeenThing("kite", Box.of((0, 0, 20, 20)), 0.9),))

    class Asks:
        version = "8"

        def ask(self, media, seen, rng):
            return [Ask("where", False, seen.things[0].name)]

    class Writes:
        version = "9"

        def write(self, media, seen, ask, caller, rng):
            tape = Tape(caller)
            tape.step("find").words.say("I look.")
            tape.step("answer").words.point("kite", (seen.things[0].box,))
            return Written(Draft(ask.task, f"Where is the {ask.about}?"), tape)

    (sample,) = PhotoMaker(folder, box(), Saw(), Asks(), Writes(), split="validation").make(("a.png",))
    assert (
        sample.question == "Where is the kite?" and sample.answer == "kite" and sample.split == "validation"
    )
    assert sample.versions == {"recogniser": "Saw/7", "questions": "Asks/8", "traces": "Writes/9"}


def test_doubtful_things_are_not_asked_about(folder):
    class Faint:
        version = "1"

        def recognise(self, media, source):
            thing = SeenThing("dog", Box.of((10, 10, 60, 90)), 0.9)
            return Recognised((thing,), doubtful=frozenset({"dog"}), absent=("owl",))

    samples = PhotoMaker(folder, box(), Faint(), RuleQuestions(count=9)).make(("a.png",))
    assert samples and all("dog" not in s.question for s in samples)


def test_the_recogniser_tells_sure_doubtful_and_absent(folder):
    from deixis.learned.scout.sources import SampleMedia, read_medium

    medium = read_medium(folder / "a.png", "a.png")
    tools = Toolbox({"detection": scripted({"dog": [(0, 0, 50, 50)], "ant": [(0, 0, 3, 3)], "owl": []})})
    seen = ToolRecogniser(tools, names=["dog", "owl", "ant"]).recognise(
        [medium], SampleMedia([medium], folder)
    )
    assert [thing.name for thing in seen.things] == ["dog"]
    assert seen.doubtful == {"ant"} and seen.absent == ("owl",)


def test_unusable_media_are_counted_and_passed_over(folder):
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    maker = PhotoMaker(folder, box())
    assert maker.make(("broken.png",)) == () and maker.make(("none.png",)) == ()
    assert sum(maker.passed_over.values()) == 2 and "scout.media.missing" in maker.passed_over
    failing = PhotoMaker(folder, Toolbox({"detection": scripted(TABLE, fail="raise")}))
    assert failing.make(("a.png",)) == () and failing.passed_over == {"tool.raised": 1}


def test_a_second_run_that_sees_otherwise_disagrees(folder):
    class Moody(ToolRecogniser):
        looks = 0

        def recognise(self, media, source):
            seen = super().recognise(media, source)
            self.looks += 1
            if self.looks % 2:
                return seen
            return Recognised(things=tuple(thing for thing in seen.things if thing.name != "cup"))

    maker = PhotoMaker(folder, box(), Moody(box(), names=["owl"]), RuleQuestions(count=12, absences=0))
    rule = AgreementRule(maker.again)
    samples = maker.make(("a.png",))
    faults = {s.question: rule.fault(s) for s in samples}
    about = [question for question in faults if "cup" in question]
    assert about and all(faults[question] for question in about)


def test_files_are_found_and_pairs_are_read(folder):
    assert media_files(folder) == [("a.png",), ("b.png",), ("c.png",), ("s.wav",)]
    (folder / "pairs.json").write_text(json.dumps([{"image": "a.png", "audio": "s.wav", "match": True}]))
    assert read_pairs(folder / "pairs.json") == [("a.png", "s.wav")]
    (folder / "pairs.jsonl").write_text('{"image": "a.png", "audio": "s.wav"}\n\n')
    assert read_pairs(folder / "pairs.jsonl") == [("a.png", "s.wav")]
    for text in ("{", '[{"image": "a.png"}]', "[3]"):
        (folder / "pairs.json").write_text(text)
        with pytest.raises(InputFault):
            read_pairs(folder / "pairs.json")
    (folder / "empty").mkdir()
    for missing in ("empty", "nowhere"):
        with pytest.raises(InputFault):
            media_files(folder / missing)


def test_a_sample_may_not_point_outside_the_data_folder(folder):
    from deixis.learned.scout.sources import SampleMedia, read_medium

    medium = read_medium(folder / "a.png", "../outside.png")
    with pytest.raises(InputFault) as fault:
        SampleMedia([medium], folder).pixels(medium.image)
    assert fault.value.code == "scout.media.outside"
    changed = read_medium(folder / "a.png", "b.png")
    with pytest.raises(InputFault) as fault:
        SampleMedia([changed], folder).pixels(changed.image)
    assert fault.value.code == "scout.media.changed"


@pytest.mark.shared
def test_real_photos_through_the_light_tools(shared):
    from deixis import registry
    from deixis.agent.profile import load_profile

    root = shared / "data"
    maker = PhotoMaker(root, load_profile("light").toolbox(), questions=RuleQuestions(count=3))
    grounder = registry.tools.create("detection/picodet-s")
    checker = Checker([*form_rules(), RegroundRule(grounder, root), AgreementRule(maker.again)])
    names = sorted(path.name for path in (root / "images/coco_train_tune").glob("*.jpg"))[13:15]
    units = [(f"images/coco_train_tune/{name}",) for name in names]
    units.append(("images/imagenet/n02088364_beagle.JPEG", "audio/dog_audio.wav"))
    kept = [s for unit in units for s, good in checker.sorted_out(maker.make(unit)) if good]
    assert len(kept) >= 4 and not maker.passed_over
    assert any(s.task in ("sound_source", "match") and s.boxes for s in kept)
    assert "" in {s.absence for s in kept}


def test_traces_are_none_where_there_is_nothing_to_ask_about(folder):
    seen = Recognised()
    assert RuleTraces().write([], seen, Ask("where", False, "dog"), None, np.random.default_rng(0)) is None
