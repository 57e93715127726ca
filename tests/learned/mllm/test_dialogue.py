"""Samples become tokens and come back; what is context is not learned; no tokens make the reader fail."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.geometry import Box, Size
from deixis.learned.mllm.dialogue import encode, encode_turn, only_answer, prompt, region
from deixis.learned.mllm.reading import read_step
from deixis.learned.mllm.tokens import (
    CHOOSE,
    END,
    END_OBSERVE,
    OBJECT,
    OBSERVE,
    PICTURE,
    SOUND,
    WRITE,
    coordinate,
)
from deixis.learned.scout.proposals import Proposal, proposals_of
from deixis.learned.scout.sample import SampleMedium
from deixis.trace import Span, Step

DIGEST = "sha256:" + "0" * 64
PICTURE_OF_160 = SampleMedium(kind="image", digest=DIGEST, source="a.png", width=160, height=160)
SOUND_OF_5 = SampleMedium(kind="audio", digest=DIGEST, source="a.wav", seconds=5.0)


def ids_of(encoded: Any, step: int) -> list[int]:
    return [token for token, number in zip(encoded.input_ids, encoded.step_id, strict=True) if number == step]


@pytest.mark.parametrize("pointing", ["coordinates", "proposals"])
def test_samples_come_back(tokenizer: Any, samples: list[Any], pointing: Any) -> None:
    steps = 0
    for sample in samples:
        encoded = encode(sample, tokenizer, pointing)
        assert encoded.step_kinds == tuple(step.kind for step in sample.steps)
        for number, step in enumerate(sample.steps):
            offered = proposals_of(sample.steps, number)
            read = read_step(ids_of(encoded, number), tokenizer, sample.media, offered, number)
            assert not read.diagnostics
            assert (read.step.kind, read.step.text) == (step.kind, step.text)
            assert [one.phrase for one in read.step.spans] == [one.phrase for one in step.spans]
            assert [one.role for one in read.step.actions] == [one.role for one in step.actions]
            for action, asked in zip(read.step.actions, step.actions, strict=True):
                assert action.call == asked.call
                assert action.input.get("phrases", []) == list(asked.input.get("phrases", []))  # type: ignore[arg-type]
            for one, other in zip(read.step.spans, step.spans, strict=True):
                assert len(one.times) == len(other.times)
                least = 0.6 if pointing == "coordinates" else 0.5
                assert all(a.iou(b) > least for a, b in zip(one.boxes, other.boxes, strict=True))
            steps += 1
    assert steps > 150


def test_context_is_not_learned(tokenizer: Any, samples: list[Any]) -> None:
    special = {
        name: tokenizer.convert_tokens_to_ids(name) for name in (OBSERVE, END_OBSERVE, OBJECT, PICTURE, SOUND)
    }
    observed = 0
    for sample in samples:
        encoded = encode(sample, tokenizer)
        inside = False
        for token, label, step in zip(encoded.input_ids, encoded.labels, encoded.step_id, strict=True):
            inside = inside or token == special[OBSERVE]
            context = inside or step < 0 or token in special.values()
            assert label == (-100 if context else token)
            observed += inside
            inside = inside and token != special[END_OBSERVE]
        places = [slot for slot in encoded.slots if slot.kind == "object"]
        assert len(places) == encoded.input_ids.count(special[OBJECT])
        assert [slot.number for slot in places][:1] in ([], [1])
    assert observed > 100


def test_how_to_point_is_asked_for(tokenizer: Any, samples: list[Any]) -> None:
    sample = next(one for one in samples if one.task in ("where", "find") and one.boxes)
    number = tokenizer.convert_tokens_to_ids
    written, chosen = encode(sample, tokenizer), encode(sample, tokenizer, "proposals")
    assert number(WRITE) in written.input_ids
    assert number(CHOOSE) not in written.input_ids
    assert number(CHOOSE) in chosen.input_ids
    assert any(number(coordinate("x1", value)) in written.labels for value in range(81))
    assert not any(number(coordinate("x1", value)) in chosen.labels for value in range(81))


def test_several_samples_are_turns_of_one_dialogue(tokenizer: Any, samples: list[Any]) -> None:
    together = [one for one in samples if one.media == samples[0].media]
    encoded = encode(together, tokenizer)
    assert len(encoded.turns) == len(together) > 1
    assert encoded.step_kinds == tuple(step.kind for one in together for step in one.steps)
    assert max(encoded.step_id) == len(encoded.step_kinds) - 1
    other = next(one for one in samples if one.media != samples[0].media)
    with pytest.raises(ValueError, match="same media"):
        encode([samples[0], other], tokenizer)


def test_answers_without_steps(tokenizer: Any, samples: list[Any]) -> None:
    for sample in samples:
        encoded = encode(only_answer(sample), tokenizer)
        assert encoded.step_kinds == ("answer",)
        assert not [slot for slot in encoded.slots if slot.kind == "object"]
        assert read_step(ids_of(encoded, 0), tokenizer, sample.media).step.text == sample.answer


def test_a_prompt_is_the_beginning_of_its_sample(tokenizer: Any, samples: list[Any]) -> None:
    sample = next(one for one in samples if len(one.steps) >= 3 and one.steps[0].actions)
    whole = encode(sample, tokenizer).input_ids
    for many in range(len(sample.steps)):
        start = prompt(sample.question, sample.steps[:many], sample.media, tokenizer, "coordinates").input_ids
        assert whole[: len(start)] == start
    first = sample.steps[0].model_copy(update={"text": "", "spans": ()})
    opened = prompt(sample.question, [first], sample.media, tokenizer, "coordinates").input_ids
    assert whole[: len(opened)] == opened
    assert tokenizer.convert_ids_to_tokens(opened[-1]) == END_OBSERVE


def test_a_plain_turn(tokenizer: Any) -> None:
    encoded = encode_turn("Is there a dog?", "yes", tokenizer, (PICTURE_OF_160,))
    said = [label for label in encoded.labels if label != -100]
    assert tokenizer.convert_ids_to_tokens(said) == ["<|step_answer|>", "yes", END]
    assert encoded.prefix == 29


def test_a_turn_with_boxes_on_offer_points_by_their_numbers(tokenizer: Any) -> None:
    dog, cat = Box(x1=1, y1=2, x2=30, y2=40), Box(x1=50, y1=50, x2=90, y2=120)
    offered = (Proposal(1, "dog", dog, 0.9), Proposal(2, "cat", cat, 0.4))
    span = Span(start=0, end=7, phrase="The cat", boxes=(Box(x1=51, y1=50, x2=90, y2=118),))
    encoded = encode_turn(
        "Where is it?", "The cat sits.", tokenizer, (PICTURE_OF_160,), spans=(span,), offered=offered
    )
    words = tokenizer.convert_ids_to_tokens(encoded.input_ids[encoded.prefix :])
    assert words[words.index("<|choose|>") + 2 : words.index("<|step_answer|>")] == [
        "<|observe|>", "<|object|>", "dog", "<|object|>", "cat", END_OBSERVE
    ]  # fmt: skip
    said = tokenizer.convert_ids_to_tokens([label for label in encoded.labels if label != -100])
    assert said[0] == "<|step_answer|>" and "#2" in said and END_OBSERVE not in said
    things = [slot for slot in encoded.slots if slot.kind == "object"]
    assert [(slot.number, slot.score) for slot in things] == [(1, 0.9), (2, 0.4)]
    assert things[0].box == pytest.approx((1 / 160, 2 / 160, 30 / 160, 40 / 160))


def read(tokenizer: Any, text: str, **more: Any) -> Any:
    return read_step(tokenizer(text).input_ids, tokenizer, (PICTURE_OF_160, SOUND_OF_5), **more)


def test_a_step_is_read(tokenizer: Any) -> None:
    box = Box(x1=1, y1=2, x2=30, y2=40)
    found = read(
        tokenizer,
        "<|step_select|> it is <|ref|> the dog <|end_ref|> #2 <x1_10><y1_20><x2_30><y2_40> , i hear <|ref|> "
        "it <|end_ref|> <t1_0><t2_40> . <|end|> more",
        proposals=(Proposal(2, "dog", box, 0.9),),
    )
    assert not found.diagnostics
    assert found.step.text == "It is the dog, I hear it."
    assert found.step.spans[0].boxes == (box, Box(x1=20, y1=40, x2=60, y2=80))
    assert found.step.spans[1].times[0].end_s == 2.5
    assert (found.step.spans[0].start, found.step.spans[0].end) == (6, 13)


def test_calls_are_read(tokenizer: Any) -> None:
    found = read(tokenizer, "<|step_locate|><|call|><|detection|> hot dog; red cup; hot dog <|end_call|>")
    assert found.waiting
    assert found.step.actions[0].input == {"phrases": ["hot dog", "red cup"]}
    everything = read(tokenizer, "<|step_find|><|call|><|detection|> everything <|end_call|>")
    assert everything.step.actions[0].input == {"everything": True}
    masks = read(
        tokenizer, "<|step_outline|><|call|><|segmentation|><x1_1><y1_1><x2_9><y2_9><|end_call|><|end|>"
    )
    assert masks.step.actions[0].input["boxes"] == [{"x1": 2.0, "y1": 2.0, "x2": 18.0, "y2": 18.0}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("dog <|end|>", "step.kind"),
        ("<|step_answer|> a dog", "step.open"),
        ("<|step_answer|> <|ref|> a dog <|end|>", "reference.open"),
        ("<|step_answer|> a dog <|end_ref|> <|end|>", "reference.end"),
        ("<|step_answer|> <|ref|> a <|ref|> dog <|end_ref|> <|end|>", "reference.nested"),
        ("<|step_answer|> <|ref|> <|end_ref|> #1 <|end|>", "reference.empty"),
        ("<|step_answer|> <|ref|> dog <|end_ref|> #7 <|end|>", "region.unknown"),
        ("<|step_answer|> <|ref|> dog <|end_ref|> <x1_3><y1_4> <|end|>", "region.broken"),
        ("<|step_answer|> <|ref|> dog <|end_ref|> <y1_3><x1_4><x2_5><y2_6> <|end|>", "region.broken"),
        ("<|step_answer|> <|ref|> dog <|end_ref|> <x1_3><y1_4><x2_3><y2_6> <|end|>", "region.empty"),
        ("<|step_find|> <|call|> dog <|end_call|> <|end|>", "call.role"),
        ("<|step_answer|> <x1_3> dog <|end|>", "token.misplaced"),
        ("<|step_answer|> <|picture|> dog <|end|>", "token.misplaced"),
    ],
)
def test_what_is_wrong_is_told(tokenizer: Any, text: str, code: str) -> None:
    found = read(tokenizer, text)
    assert any(one.startswith(code) for one in found.diagnostics), found.diagnostics


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_tokens_are_read(tokenizer: Any, data: Any) -> None:
    heads = st.integers(0, 60) | st.integers(0, len(tokenizer) - 1)
    ids = data.draw(st.lists(heads, max_size=40))
    found = read_step(ids, tokenizer, (PICTURE_OF_160, SOUND_OF_5), (), 3)
    assert found.step.index == 3
    for span in found.step.spans:
        assert found.step.text[span.start : span.end] == span.phrase


def test_regions_that_no_proposal_fits_are_written() -> None:
    size = Size(width=160, height=160)
    offered = (
        Proposal(1, "dog", Box(x1=0, y1=0, x2=40, y2=40), 0.5),
        Proposal(2, "cat", Box(x1=80, y1=80, x2=120, y2=120), 0.9),
    )
    assert region(Box(x1=82, y1=82, x2=120, y2=121), size, offered, "proposals") == ["#2"]
    assert region(Box(x1=120, y1=0, x2=160, y2=30), size, offered, "proposals")[0] == "<x1_60>"
    assert region(Box(x1=82, y1=82, x2=120, y2=121), size, offered, "coordinates")[0] == "<x1_41>"


def test_steps_without_sense_in_their_spans_are_written_all_the_same(
    tokenizer: Any, samples: list[Any]
) -> None:
    from deixis.trace import Span

    spans = (
        Span(start=0, end=5, phrase="A dog"),
        Span(start=2, end=9, phrase="x"),
        Span(start=50, end=60, phrase="y"),
    )
    sample = samples[0].model_copy(
        update={"steps": (Step(index=0, kind="answer", text="A dog barks.", spans=spans),)}
    )
    read = read_step(ids_of(encode(sample, tokenizer), 0), tokenizer, sample.media)
    assert read.step.text == "A dog barks."
    assert [one.phrase for one in read.step.spans] == ["A dog"]
