"""The tokenizer: nothing is lost, names are whole, the vocabulary is small."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.geometry import Box, Size, TimeSpan
from deixis.learned.mllm.tokenizer import build_tokenizer, spoken
from deixis.learned.mllm.tokens import (
    BINS,
    COORDINATES,
    EDGES,
    PROPOSALS,
    SPECIAL,
    TIMES,
    binned,
    box_of,
    box_tokens,
    span_tokens,
    time_of,
    value_of,
)
from deixis.learned.scout.proposals import MOST
from deixis.learned.world.categories import categories


def test_every_name_is_one_token(tokenizer: Any) -> None:
    for thing in categories():
        for word in (*thing.words, *thing.held_out, thing.plural):
            assert len(tokenizer(word).input_ids) == 1, word


@pytest.mark.parametrize(
    "text",
    [
        "Is there an alarm clock to the left of the fire truck?",
        "No, I see no zebra. I hear rain from 0.8 to 3.3 s.",
        "#1 is a dog, #10 is nothing.",
        "It's a many-coloured zyxwvut: 12 (of 13)!",
        "The spoon-holder's quokka; what next?",
        "I choose #2, the ripe apple.",
    ],
)
def test_text_comes_back(tokenizer: Any, text: str) -> None:
    assert spoken(tokenizer.decode(tokenizer(text).input_ids)) == text


def test_special_tokens_are_whole_and_numbered_without_gaps(tokenizer: Any) -> None:
    for token in (*SPECIAL, *COORDINATES, *PROPOSALS):
        assert tokenizer.convert_ids_to_tokens(tokenizer(f"dog {token} dog").input_ids)[1:-1] == [token]
    for family in (*EDGES, *TIMES):
        ids = tokenizer.convert_tokens_to_ids([f"<{family}_{value}>" for value in range(BINS + 1)])
        assert ids == list(range(ids[0], ids[0] + BINS + 1))
    assert len(PROPOSALS) == MOST
    assert len(tokenizer) < 3000


def test_new_words_can_be_added(tokenizer: Any) -> None:
    assert len(tokenizer("gramophone").input_ids) > 1
    assert len(build_tokenizer(["A gramophone."])("gramophone").input_ids) == 1


def test_stored_and_read_again(tokenizer: Any, tmp_path: Any) -> None:
    from transformers import AutoTokenizer

    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    text = "<|user|> Where is the hot dog? <|write|><|end|><x1_3><y2_80>"
    assert again(text).input_ids == tokenizer(text).input_ids
    assert again.eos_token_id == tokenizer.eos_token_id


@settings(max_examples=80, deadline=None)
@given(
    st.integers(20, 2000),
    st.integers(20, 2000),
    st.tuples(*[st.floats(0, 1) for _ in range(4)]),
)
def test_boxes_come_back_within_half_a_bin(width: int, height: int, corners: tuple[float, ...]) -> None:
    x1, x2 = sorted((corners[0] * width, corners[2] * width))
    y1, y2 = sorted((corners[1] * height, corners[3] * height))
    size = Size(width=width, height=height)
    tokens = box_tokens(Box(x1=x1, y1=y1, x2=x2, y2=y2), size)
    values = [value_of(token, family) for token, family in zip(tokens, EDGES, strict=True)]
    found = box_of([value for value in values if value is not None], size)
    for one, other, side in zip(found.xyxy_px, (x1, y1, x2, y2), (width, height, width, height), strict=True):
        assert abs(one - other) <= 1.5 * side / BINS + 1e-6  # an edge may have moved so that no box is empty
    if min(x2 - x1, y2 - y1) > 2 * max(width, height) / BINS:
        assert abs(found.x1 - x1) <= 0.5 * width / BINS + 1e-6


@given(st.floats(0, 60), st.floats(0, 60), st.floats(0.1, 60))
def test_times_come_back(start: float, end: float, seconds: float) -> None:
    start, end = sorted((min(start, seconds), min(end, seconds)))
    tokens = span_tokens(TimeSpan(start_s=start, end_s=end), seconds)
    values = [value_of(token, family) for token, family in zip(tokens, TIMES, strict=True)]
    found = time_of([value for value in values if value is not None], seconds)
    assert found.duration_s > 0
    assert abs(found.start_s - start) <= 1.5 * seconds / BINS + 1e-6


def test_values_of_other_tokens_are_none() -> None:
    assert value_of("<x1_81>", "x1") is None
    assert value_of("<x1_-1>", "x1") is None
    assert value_of("<x1_7>", "y1") is None
    assert (binned(-1), binned(2), binned(0.5)) == (0, BINS, BINS // 2)
