"""Every check rejects a sample that no other check rejects, and counts it."""

from __future__ import annotations

import pytest

from deixis.geometry import Box, TimeSpan
from deixis.learned.scout.checks.again import AgreementRule, RegroundRule, one_to_one
from deixis.learned.scout.checks.doubles import DoubleRule, LeakRule, refused_names
from deixis.learned.scout.checks.form import form_rules
from deixis.learned.scout.checks.rule import Checker
from deixis.learned.scout.sample import Sample
from deixis.tools.detection.scripted import scripted
from tests.learned.scout.conftest import CUP, IMAGE, by_hand, heard_by_hand

ACTION, SEEN = by_hand().steps[0].actions[0], by_hand().steps[0].observations[0]


def changed(place: int, sample: Sample | None = None, **fields: object) -> Sample:
    """Returns the sample with fields of one step changed, and a right id."""
    sample = sample or by_hand()
    steps = list(sample.steps)
    steps[place] = steps[place].model_copy(update=fields)
    return sample.model_copy(update={"steps": tuple(steps), "id": ""}).model_validate(
        sample.model_copy(update={"steps": tuple(steps), "id": ""}).model_dump()
    )


def respan(place: int, number: int, sample: Sample | None = None, **fields: object) -> Sample:
    sample = sample or by_hand()
    spans = list(sample.steps[place].spans)
    spans[number] = spans[number].model_copy(update=fields)
    return changed(place, sample, spans=tuple(spans))


@pytest.fixture
def checker(monkeypatch) -> Checker:
    table = {"cup": [CUP.xyxy_px], "owl": [], "cat": [(0, 0, 40, 40)]}
    other = by_hand(value="right")
    again = {"Is it there twice?": other}
    rules = [
        *form_rules(),
        DoubleRule(),
        LeakRule(["test.png", "42"]),
        RegroundRule(scripted(table)),
        AgreementRule(lambda sample: again.get(sample.question, sample)),
    ]
    made = Checker(rules)
    first = by_hand(question="Where is the blue cup?")
    assert all(verdict.passed for verdict in made.judge(first).verdicts)
    return made


ONLY = {
    "digest": lambda: by_hand(question="Where is the mug?").model_copy(
        update={"id": by_hand().id[:-1] + "x"}
    ),
    "boxes": lambda: respan(0, 0, boxes=(Box.of((90, 70, 130, 79)),)),
    "times": lambda: respan(1, 0, heard_by_hand(), times=(TimeSpan(start_s=3, end_s=5),)),
    "phrase": lambda: respan(0, 0, phrase="mug"),
    "steps": lambda: changed(1, text=" ", spans=()),
    "calls": lambda: changed(
        0, actions=(by_hand().steps[0].actions[0].model_copy(update={"input": {"phrases": "cup"}}),)
    ),
    "choice": lambda: changed(1, text="#2 is meant.", spans=()),
    "answer": lambda: changed(2, spans=()),
    "double": lambda: by_hand(value="right", question="where is the BLUE  cup"),
    "leak": lambda: by_hand(
        question="A", media=(IMAGE.model_copy(update={"source": "coco/val_000042.png"}),)
    ),
    "reground": lambda: respan(2, 0, boxes=(Box.of((50, 20, 90, 70)),)),
    "agreement": lambda: by_hand(question="Is it there twice?"),
}


@pytest.mark.parametrize("name", ONLY)
def test_each_rule_alone_rejects_its_sample(checker, name):
    sample = ONLY[name]()
    judged = checker.judge(sample)
    assert [v.rule for v in judged.verdicts if not v.passed] == [name]
    assert next(v.note for v in judged.verdicts if v.rule == name)
    assert checker.counts[name] == 1 == checker.alone[name] and sum(checker.counts.values()) == 1
    assert (checker.judged, checker.passed) == (2, 1)
    assert judged.id == sample.id


def test_every_rule_has_such_a_sample(checker):
    assert {rule.name for rule in checker.rules} == set(ONLY)


def test_what_the_world_makes_passes_all_checks_of_form(made):
    checker = Checker([*form_rules(), DoubleRule(), LeakRule()])
    judged = list(checker.sorted_out(made))
    assert checker.passed == len(made) and all(good for _, good in judged)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (lambda: respan(0, 0, boxes=(Box.of((10, 10, 10, 40)),)), "boxes"),
        (lambda: respan(0, 0, boxes=(Box.of((-9, 10, 20, 40)),)), "boxes"),
        (lambda: respan(0, 0, media="sha256:" + "9" * 64), "boxes"),
        (lambda: respan(1, 0, heard_by_hand(), times=(TimeSpan(start_s=3, end_s=3),)), "times"),
        (lambda: respan(0, 0, times=(TimeSpan(start_s=0, end_s=1),)), "times"),
        (lambda: respan(0, 0, start=0, end=3), "phrase"),
        (lambda: respan(0, 0, start=100, end=103), "phrase"),
        (lambda: changed(0, spans=by_hand().steps[0].spans * 2), "phrase"),
        (lambda: changed(1, index=5), "steps"),
        (lambda: changed(1, kind="answer"), "steps"),
        (lambda: changed(1, text="a" * 2000, spans=()), "steps"),
        (lambda: by_hand(steps=by_hand().steps[2:]), "steps"),
        (lambda: changed(0, observations=()), "calls"),
        (lambda: changed(0, actions=by_hand().steps[0].actions * 2), "calls"),
        (lambda: changed(0, actions=(ACTION.model_copy(update={"role": "tasting"}),)), "calls"),
        (lambda: changed(0, observations=(SEEN.model_copy(update={"output": None}),)), "calls"),
        (lambda: by_hand(absence="absent", value="yes"), "answer"),
        (lambda: by_hand(absence="absent", value=""), "answer"),
    ],
)  # fmt: skip
def test_other_ways_to_be_wrong(wrong, rule):
    verdicts = Checker(form_rules()).judge(wrong()).verdicts
    assert rule in [verdict.rule for verdict in verdicts if not verdict.passed]


def test_a_double_is_told_by_content_or_by_question_and_media():
    rule = DoubleRule()
    rule.accepted(by_hand())
    assert "same sample" in rule.fault(by_hand())
    assert "same question" in rule.fault(by_hand(question="Where is the cup", value="x"))
    assert rule.fault(by_hand(question="Where is the dog?")) == ""
    other = IMAGE.model_copy(update={"digest": "sha256:" + "5" * 64})
    assert rule.fault(by_hand(media=(other,))) == ""


def test_a_rejected_sample_is_no_reason_to_reject_the_next():
    checker = Checker([*form_rules(), DoubleRule()])
    checker.judge(changed(1, text=" ", spans=()))
    assert all(verdict.passed for verdict in checker.judge(by_hand()).verdicts)


@pytest.mark.parametrize(
    ("source", "refused", "leaks"),
    [
        ("world/scene:99999", [], True),
        ("world/pair:5?most=3", [], True),
        ("world/scene:100000", [], False),
        ("world/scene:1000042", ["42", "1000042"], False),
        ("val/COCO_val2014_000000000042.jpg", ["42"], True),
        ("val/COCO_val2014_000000000042.jpg", ["000000000042"], True),
        ("val/COCO_val2014_000000000042.jpg", ["COCO_val2014_000000000042"], True),
        ("val/COCO_val2014_000000000042.jpg", ["142", "4", "2"], False),
        ("a/b.jpg", ["b.jpg"], True),
        ("a/b.jpg", ["a/b.jpg"], True),
        ("a/b.jpg", ["c/b.jpg"], False),
        ("a/b.jpg", [IMAGE.digest], True),
    ],
)
def test_leaks(source, refused, leaks):
    sample = by_hand(media=(IMAGE.model_copy(update={"source": source}),))
    assert bool(LeakRule(refused).fault(sample)) is leaks
    as_test = sample.model_copy(update={"split": "test"})
    assert LeakRule(refused).fault(as_test) == ""


def test_a_list_of_refused_names(tmp_path):
    from deixis.errors import InputFault

    path = tmp_path / "val.txt"
    path.write_text("# RefCOCO val\n42\n\n COCO_7.jpg  # a remark\n")
    assert refused_names(path) == ["42", "COCO_7.jpg"]
    with pytest.raises(InputFault) as fault:
        refused_names(tmp_path / "none.txt")
    assert fault.value.code == "scout.refused.unreadable"


def test_regrounding_finds_denied_things_and_leaves_unknown_ones_alone():
    rule = RegroundRule(scripted({"owl": [], "cat": [(0, 0, 40, 40)]}))
    assert rule.fault(by_hand()) == ""  # a cup is not known to this grounder
    denial = {"kind": "answer", "index": 2, "text": "There is no cat.",
              "spans": [{"start": 12, "end": 15, "phrase": "cat"}]}  # fmt: skip
    sample = by_hand(absence="absent", steps=(*by_hand().steps[:2], denial))
    assert "denied" in rule.fault(sample)
    denial["text"], denial["spans"] = "There is no owl.", [{"start": 12, "end": 15, "phrase": "owl"}]
    assert rule.fault(by_hand(absence="absent", steps=(*by_hand().steps[:2], denial))) == ""


@pytest.mark.parametrize("moved", [0, 3, 10])
def test_regrounding_compares_by_iou(moved):
    box = (CUP.x1 + moved, CUP.y1, CUP.x2 + moved, CUP.y2)
    rule = RegroundRule(scripted({"cup": [box]}))
    assert bool(rule.fault(by_hand())) is (CUP.iou(Box.of(box)) < 0.5)


def test_a_grounder_that_fails_passes_nothing():
    assert "could not be looked at" in RegroundRule(scripted({}, fail="fault")).fault(by_hand())


def test_boxes_pair_off():
    far = Box.of((60, 60, 90, 79))
    assert one_to_one((CUP, far), (far, CUP), 0.5)
    assert not one_to_one((CUP, CUP), (CUP, far), 0.5)
    assert not one_to_one((CUP,), (), 0.5) and one_to_one((), (), 0.5)


def test_agreement_needs_a_second_answer_with_the_same_denial():
    assert "no answer" in AgreementRule(lambda sample: None).fault(by_hand())
    assert "denies" in AgreementRule(lambda sample: by_hand(absence="absent")).fault(by_hand())
    moved = respan(2, 0, boxes=(Box.of((50, 20, 90, 70)),))
    assert "other places" in AgreementRule(lambda sample: moved).fault(by_hand())
