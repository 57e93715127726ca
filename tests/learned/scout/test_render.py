"""Rendering: places in every format read back as what they were, chat turns hold calls and observations."""

from __future__ import annotations

import json

import pytest

from deixis.errors import InputFault
from deixis.learned import formats
from deixis.learned.scout.render.chat import chat, short_output
from deixis.learned.scout.render.places import places
from deixis.trace import Observation
from tests.learned.scout.conftest import by_hand, heard_by_hand

BOXES = [name for name in formats.names() if "box" in formats.get(name).profile.kinds]
CELL = 160 / 32
"""The coarsest format writes 32 cells a side: an edge moves by at most a cell."""


@pytest.mark.parametrize("name", BOXES)
def test_every_format_reads_back_what_was_rendered(made, name):
    write, fmt = places(name), formats.get(name)
    coarse = CELL if name.startswith("kosmos") else 0.51
    seen = 0
    for sample in [s for s in made if s.images][:60]:
        step = sample.steps[-1]
        size = sample.images[0].size
        truth = formats.grounded(step)
        parsed = fmt.parse(
            write.write(sample, step), formats.PictureFrame.unresized(size),
            phrases=[span.phrase for span in step.spans],
        )  # fmt: skip
        if fmt.profile.multi_box == "hull" and len(truth.spans) > 1:
            continue
        want = sorted(span.values for span in truth.spans)
        got = sorted(span.values for span in parsed.spans)
        assert len(want) == len(got), (step.text, parsed)
        for one, other in zip(want, got, strict=True):
            assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= coarse
        seen += len(want)
    assert seen > 15


def test_points_are_written_where_a_format_has_no_boxes():
    assert "<point" in places("molmo").write(by_hand(), by_hand().steps[2])
    with pytest.raises(InputFault):
        places("florence-2-ocr").write(by_hand(), by_hand().steps[2])
    with pytest.raises(InputFault, match="no format"):
        places("morse")


def test_text_without_places_stays_as_it_is(made):
    for name in BOXES:
        write = places(name)
        for sample in (heard_by_hand(), *(s for s in made[:40] if s.absence == "absent")):
            step = sample.steps[-1]
            if not any(span.boxes for span in step.spans):
                assert write.write(sample, step) == step.text


def test_chat_turns_hold_question_calls_observations_and_steps():
    turns = chat(by_hand(), places("shikra"))
    assert [turn["role"] for turn in turns] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "assistant",
        "assistant",
    ]
    assert turns[0]["content"] == [{"type": "image"}, {"type": "text", "text": "Where is the cup?"}]
    call = turns[1]["tool_calls"][0]
    assert call["function"] == {"name": "detection", "arguments": {"phrases": ["cup"]}}
    assert turns[2]["tool_call_id"] == call["id"] and turns[2]["content"] == "#1 cup 0.90 (10,10,30,40)"
    assert turns[5]["content"][0]["text"] == "answer: The cup [0.100,0.200,0.300,0.500] is on the left."
    json.dumps(turns)


def test_steps_and_answers_alone():
    said = chat(by_hand(), calls=False)[-1]["content"][0]["text"].splitlines()
    assert [line.partition(":")[0] for line in said] == ["locate", "select", "answer"]
    assert chat(by_hand(), steps=False)[-1]["content"][0]["text"] == "The cup is on the left."
    assert len(chat(by_hand(), steps=False)) == 2


def test_all_of_the_world_can_be_rendered(made):
    roles = set()
    for sample in made:
        for turn in chat(sample):
            roles.add(turn.get("name", ""))
            assert turn["role"] != "tool" or turn["content"]
    assert roles >= {"detection", "tagging", "hearing", "matching", "segmentation"}


def test_a_failed_call_says_so():
    seen = Observation(call="0.1", status="timeout", fault={"message": "no answer"})
    assert short_output("detection", seen) == "failed: no answer"
