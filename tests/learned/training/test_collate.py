"""Batches: step numbers, padding, packing, shared prefixes, turns cut apart, media in order."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.learned.training.collate import Collator, turns_of
from deixis.learned.training.example import IGNORED, Example, plain_example
from deixis.learned.training.feed import Examples, ahead
from deixis.learned.training.order import Order
from tests.learned.training.tiny import example, examples, tiny_model


def test_padded_rows_keep_tokens_labels_and_step_numbers() -> None:
    batch = Collator(pad=0, multiple=8)([example((2, 3), 1, gap=1), example((1,), 2)])
    assert batch.inputs["input_ids"].shape == (2, 16)
    assert batch.inputs["attention_mask"].sum(1).tolist() == [10, 4]
    assert batch.step_id[0].tolist() == [-1, -1, -1, 0, 0, -1, 1, 1, 1, -1, *[-1] * 6]
    assert batch.step_id[1].tolist() == [-1, -1, -1, 0, *[-1] * 12]
    assert ((batch.labels == IGNORED) == (batch.step_id < 0)).all()
    assert batch.step_w.tolist() == [[1.0, 1.0], [1.0, 0.0]]
    assert batch.step_sample.tolist() == [[0, 0], [1, -1]]
    assert batch.tokens == 14


@given(st.integers(1, 6), st.integers(0, 60))
@settings(max_examples=20)
def test_packed_rows_hold_every_labelled_token_once(count: int, room: int) -> None:
    several = examples(count, 3)
    plain, packed = Collator()(several), Collator(pack=room)(several)
    assert sorted(packed.labels[packed.labels >= 0].tolist()) == sorted(
        plain.labels[plain.labels >= 0].tolist()
    )
    longest = max(len(one) for one in several)
    assert packed.labels.shape[1] <= max(room, longest)


def test_examples_of_a_row_do_not_see_each_other() -> None:
    several = [example((3, 2), 1), example((4,), 2)]
    model = tiny_model().eval()
    packed = Collator(pack=64)(several)
    assert packed.labels.shape[0] == 1
    with torch.no_grad():
        together = model(**packed.inputs).logits[0]
        alone = [model(**Collator()([one]).inputs).logits[0] for one in several]
    torch.testing.assert_close(together, torch.cat(alone), atol=2e-6, rtol=1e-5)


def test_turns_behind_one_prefix_equal_their_own_dialogues() -> None:
    prefix, turns = [5, 6, 7], [[9, 10, 11], [12, 13]]
    ids = np.array(prefix + turns[0] + turns[1])
    segment = np.array([0] * 3 + [1] * 3 + [2] * 2)
    positions = np.array([0, 1, 2, 3, 4, 5, 3, 4])
    step_id = np.array([-1] * 4 + [0, 0, -1, 1])
    labels = np.where(step_id >= 0, ids, IGNORED)
    shared = Example(
        ids, labels, step_id, ("answer", "answer"), step_turns=(0, 1), segment=segment, position_ids=positions
    )
    batch = Collator()([shared])
    assert batch.step_sample.tolist() == [[0, 1]]
    assert batch.step_place.tolist() == [[0, 0]]
    model = tiny_model().eval()
    with torch.no_grad():
        together = model(**batch.inputs).logits[0]
        for turn, start in zip(turns, (3, 6), strict=True):
            alone = model(input_ids=torch.tensor([prefix + turn])).logits[0, 3:]
            torch.testing.assert_close(together[start : start + len(turn)], alone, atol=2e-6, rtol=1e-5)


def test_a_label_at_the_start_of_a_segment_is_left_out() -> None:
    ids = np.array([5, 6, 7, 8])
    segment, step_id = np.array([0, 0, 1, 1]), np.array([-1, -1, 0, 0])
    made = Example(ids, np.where(step_id >= 0, ids, IGNORED), step_id, ("answer",), segment=segment)
    assert Collator()([made]).labels.tolist() == [[IGNORED, IGNORED, IGNORED, 8]]


def test_media_are_joined_in_order_and_pointers_move() -> None:
    def with_pictures(pictures: int, things: list[int], mark: float) -> Example:
        media = {
            "picture_rows": np.full((pictures, 2), mark, np.float32),
            "object_boxes": np.full((len(things), 4), mark, np.float32),
            "object_pictures": np.array(things),
        }
        return plain_example(np.array([1, 2, 3]), 1, media=media)

    batch = Collator()([with_pictures(2, [0, 1], 1.0), with_pictures(1, [0], 2.0)])
    assert batch.inputs["object_pictures"].tolist() == [0, 1, 2]
    assert batch.inputs["picture_rows"][:, 0].tolist() == [1.0, 1.0, 2.0]


def test_cut_turns_keep_their_history_and_the_things_of_it() -> None:
    one = example((2, 3), 1, gap=1)
    ids = one.input_ids.copy()
    ids[[5, 9]] = 40  # a thing after each step
    media = {"object_boxes": np.arange(8.0).reshape(2, 4), "picture_rows": np.zeros((1, 2))}
    one = Example(ids, one.labels, one.step_id, one.step_kinds, (2.0, 5.0), None, media)
    cut = turns_of(one, thing=40)
    assert [(step, len(piece)) for step, piece in cut] == [(0, 5), (1, 9)]
    assert [len(piece.media["object_boxes"]) for _, piece in cut] == [0, 1]
    assert [piece.step_weights for _, piece in cut] == [(2.0,), (5.0,)]
    assert (cut[1][1].labels[:6] == IGNORED).all()


def test_what_does_not_fit_is_refused() -> None:
    ids = np.arange(4)
    with pytest.raises(InputFault) as caught:
        Example(ids, ids, np.array([0, 0, 1, 1]), ("find",))
    assert caught.value.code == "train.example.shape"
    with pytest.raises(InputFault) as caught:
        Collator()([])
    assert caught.value.code == "train.batch.empty"
    shared = Example(ids, ids, np.zeros(4, np.int64), ("find",), segment=np.zeros(4, np.int64))
    with pytest.raises(InputFault) as caught:
        turns_of(shared)
    assert caught.value.code == "train.turns.uncut"


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 3))
def test_an_epoch_shows_every_example_once(size: int, steps: int, left: int) -> None:
    order = Order(list(range(size * steps + min(left, size - 1))), size, seed=4)
    for epoch in range(2):
        seen = [number for step in range(steps) for number in order.numbers(epoch * steps + step)]
        assert len(seen) == len(set(seen)) == size * steps


def test_batches_have_examples_of_like_lengths() -> None:
    lengths = np.random.default_rng(0).integers(5, 100, 512)
    order = Order(lengths, 8)
    spread = [np.ptp(lengths[order.numbers(step)]) for step in range(order.steps)]
    assert np.mean(spread) < 4
    assert [order.numbers(step) for step in range(20)] == [
        Order(lengths, 8).numbers(step) for step in range(20)
    ]
    assert order.numbers(0) != Order(lengths, 8, seed=1).numbers(0)


def test_parts_of_a_step_are_the_step() -> None:
    feed = Examples.of(examples(12), Collator(), 6, seed=2)
    whole = feed.batch(3).inputs["input_ids"]
    parts = [feed.batch(3, part, 3).inputs["input_ids"] for part in range(3)]
    rows = {tuple(one for one in row if one) for one in parts for row in one.tolist()}
    assert rows == {tuple(one for one in row if one) for row in whole.tolist()}
    with pytest.raises(InputFault) as caught:
        feed.batch(0, 6, 7)
    assert caught.value.code == "train.batch.parts"
    with pytest.raises(InputFault) as caught:
        Examples.of(examples(3), Collator(), 6)
    assert caught.value.code == "train.order.few"


def test_batches_are_made_ahead_and_errors_come_through() -> None:
    def make(step: int) -> list:
        if step == 2:
            raise InputFault("train.test", "Broken.", "")
        return [step]

    with ahead(make) as get:
        assert [get(0), get(1)] == [[0], [1]]
        with pytest.raises(InputFault):
            get(2)
