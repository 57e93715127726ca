"""The schema of samples: what is refused, what survives, what the id stands for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from deixis.learned.scout.sample import RuleVerdict, Sample, SampleMedium, parsed
from deixis.trace import Span, Step
from tests.learned.scout.conftest import CUP, IMAGE, by_hand, heard_by_hand

GOLDEN = Path(__file__).parent / "golden.jsonl"


def test_a_line_is_the_whole_sample(made):
    for sample in [by_hand(), heard_by_hand(), *made[:40]]:
        line = sample.line()
        assert "\n" not in line and line.isascii()
        assert parsed(line) == sample


def test_lines_stay_as_they_were_written():
    lines = GOLDEN.read_text("ascii").splitlines()
    assert lines == [by_hand().line(), heard_by_hand().line()]
    assert [parsed(line).line() for line in lines] == lines


def test_the_id_is_of_the_content_and_not_of_verdicts():
    sample = by_hand()
    assert sample.id == sample.digest()
    judged = sample.model_copy(update={"verdicts": (RuleVerdict(rule="boxes", passed=True),)})
    assert Sample.model_validate(judged.model_dump()).digest() == sample.id
    assert by_hand(question="Where is the mug?").id != sample.id


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": ()},
        {"steps": ({"index": 0, "kind": "locate", "text": "a"},)},
        {"question": ""},
        {"absence": "gone"},
        {"split": "dev"},
        {"surprise": 1},
        {"schema_version": 2},
        {"media": ({"kind": "image", "digest": "d", "source": "a.png", "width": 3},)},
        {"media": ({"kind": "audio", "digest": "d", "source": "a.wav"},)},
    ],
)
def test_what_is_no_sample_is_refused(changes):
    with pytest.raises(ValidationError):
        by_hand(**changes)


def test_spans_may_be_broken_but_not_nonsense():
    Span(start=0, end=3, phrase="dog", boxes=(CUP,))
    for wrong in ({"start": -1, "end": 2, "phrase": "a"}, {"start": 0, "end": 2, "phrase": ""}):
        with pytest.raises(ValidationError):
            Span.model_validate(wrong)


def test_old_steps_without_spans_are_still_read():
    assert Step.model_validate({"index": 0, "kind": "find", "text": "a"}).spans == ()


def test_a_sample_is_a_trace():
    sample = by_hand()
    trace = sample.trace()
    assert trace.steps == sample.steps and trace.record.question == sample.question
    assert trace.record.media == (IMAGE.digest,) and trace.record.steps == 3
    assert json.loads(trace.model_dump_json())["steps"][2]["spans"][0]["phrase"] == "cup"


def test_answers_boxes_and_times_are_those_of_the_last_step():
    assert by_hand().answer == "The cup is on the left." and by_hand().boxes == (CUP,)
    assert heard_by_hand().boxes == () and heard_by_hand().times[0].end_s == 2.5


def test_media_give_the_references_that_tools_take():
    assert IMAGE.image.size.width == 100 and heard_by_hand().audios[0].audio.duration_s == 4.0
    with pytest.raises(ValueError, match="sound"):
        _ = heard_by_hand().media[0].image
    with pytest.raises(ValueError, match="picture"):
        _ = IMAGE.audio
    assert SampleMedium.model_validate_json(IMAGE.model_dump_json()) == IMAGE
