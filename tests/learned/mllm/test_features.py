"""Features on disk survive a kill; conversations are what is true, and the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.mllm.features import FeatureStore, encoder_digest
from deixis.learned.mllm.seeing_turns import NUMBERS
from deixis.learned.mllm.understanding import CONVERSATIONS, Prepared, UnderstandingSpec, conversation, parsed
from deixis.learned.world.categories import categories, fits
from deixis.learned.world.scenes import scene

ENCODER = "sha256:" + "a" * 64


def digest(number: int) -> str:
    return f"sha256:{number:064d}"


def test_rows_come_back_with_sixteen_bits(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, "pictures", ENCODER, (3, 4))
    rows = [np.random.default_rng(number).normal(size=(3, 4)) for number in range(3)]
    for number, one in enumerate(rows):
        store.put(digest(number), one)
        np.testing.assert_array_equal(store.get(digest(number)), one.astype(np.float16))
    store.put(digest(0), rows[1])
    assert len(store) == 3
    again = FeatureStore(tmp_path, "pictures", ENCODER, (3, 4))
    np.testing.assert_array_equal(again.get(digest(0)), rows[0].astype(np.float16))
    assert digest(7) not in again
    with pytest.raises(ValueError, match="shape"):
        again.put(digest(8), np.zeros((3, 5)))


@pytest.mark.parametrize("cut", ["rows", "digests", "half a digest"])
def test_what_a_kill_cut_short_is_left_out(tmp_path: Path, cut: str) -> None:
    store = FeatureStore(tmp_path, "sounds", ENCODER, (2, 2))
    for number in range(3):
        store.put(digest(number), np.full((2, 2), number))
    home = next(tmp_path.iterdir())
    names, data = home / "digests.txt", home / "rows.f16"
    if cut == "rows":
        data.write_bytes(data.read_bytes()[:-3])
    elif cut == "digests":
        names.write_text("".join(f"{digest(number)}\n" for number in range(2)))
    else:
        names.write_text(names.read_text()[:-20])
    again = FeatureStore(tmp_path, "sounds", ENCODER, (2, 2))
    assert len(again) == 2
    again.put(digest(9), np.full((2, 2), 9))
    assert again.get(digest(1))[0, 0] == 1
    assert FeatureStore(tmp_path, "sounds", ENCODER, (2, 2)).get(digest(9))[0, 0] == 9


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputFault):
        FeatureStore(tmp_path / "file", "sounds", ENCODER, (2, 2))


def test_conversations_are_kept_and_gone_on_with(tiny: Any, tmp_path: Path) -> None:
    model, processor = tiny
    kept = Prepared(tmp_path, model)
    kept.prepare(model, processor, 1_000_000, 3)
    file = tmp_path / CONVERSATIONS
    whole = file.read_text()
    file.write_text(whole + '{"media": [], "tu')
    again = Prepared(tmp_path, model)
    assert len(again) == 3
    again.prepare(model, processor, 1_000_000, 5)
    with pytest.raises(InputFault) as caught:
        again.prepare(model, processor, 1_000_000, 6, UnderstandingSpec(choosing=1))
    assert caught.value.code == "mllm.prepared.other" and len(again) == 5
    (tmp_path / "other").mkdir()
    straight = Prepared(tmp_path / "other", model)
    straight.prepare(model, processor, 1_000_000, 5)
    assert file.read_text() == (tmp_path / "other" / CONVERSATIONS).read_text()
    for place in range(5):
        one = again[place]
        pictures, sounds = again.rows(one.media)
        assert len(pictures) + len(sounds) == len(one.media)
        for rows, others in zip(again.rows(one.media), straight.rows(one.media), strict=True):
            for mine, other in zip(rows, others, strict=True):
                np.testing.assert_allclose(mine.astype(np.float32), other.astype(np.float32), atol=2e-2)


def test_another_encoder_has_other_features(tiny: Any) -> None:
    import torch

    model, _ = tiny
    before = encoder_digest(model, "pictures"), encoder_digest(model, "sounds")
    weight = model.model.eye.edges.bias
    with torch.no_grad():
        weight.add_(1)
    try:
        assert encoder_digest(model, "pictures") != before[0]
        assert encoder_digest(model, "sounds") == before[1]
    finally:
        with torch.no_grad():
            weight.sub_(1)


PICTURES = UnderstandingSpec(pictures=1, pairs=0, sounds=0)


def test_the_same_seed_gives_the_same_conversation() -> None:
    one, other = conversation(1_000_007), conversation(1_000_007)
    assert one.line() == other.line()
    again = parsed(one.line())
    assert (again.media, again.turns) == (one.media, one.turns)
    with pytest.raises(ValueError):
        parsed('{"media": 3}')


def test_answers_are_true() -> None:
    yes = no = counted = 0
    names = {word: number for number, thing in enumerate(categories()) for word in thing.words}
    plurals = {thing.plural: number for number, thing in enumerate(categories())}
    for seed in range(1_000_000, 1_000_060):
        shown = scene(seed)
        kinds = set(shown.classes.tolist())
        for turn in conversation(seed, PICTURES).turns:
            words = turn.question.rstrip("?.").lower()
            if turn.skill == "presence":
                word = max((name for name in names if f" {name}" in words), key=len)
                assert (turn.answer == "yes") == bool(fits(word) & kinds), turn
                yes, no = yes + (turn.answer == "yes"), no + (turn.answer == "no")
            if turn.skill == "count":
                plural = max((name for name in plurals if f" {name}" in words), key=len)
                assert turn.answer == NUMBERS[int((shown.classes == plurals[plural]).sum())], turn
                counted += 1
    assert counted > 40
    assert 0.4 < yes / (yes + no) < 0.6


def test_sounds_and_pairs_are_asked_about_as_well() -> None:
    skills = {turn.skill for seed in range(1_000_000, 1_000_050) for turn in conversation(seed).turns}
    wanted = {
        "presence",
        "count",
        "attribute",
        "relation",
        "caption",
        "heard",
        "sound_presence",
        "source",
        "match",
        "place",
    }
    assert wanted <= skills


def test_pointing_comes_beside_what_is_asked_anyway_and_is_true() -> None:
    pointed = denied = 0
    for seed in range(1_000_000, 1_000_030):
        plain = conversation(seed, PICTURES)
        more = conversation(seed, replace(PICTURES, pointing=3))
        assert more.turns[: len(plain.turns)] == plain.turns, "the plain questions stay as they are"
        assert parsed(more.line()).turns == more.turns
        boxes = scene(seed).boxes
        for turn in more.turns[len(plain.turns) :]:
            assert turn.skill == "pointing" and turn.spans is not None
            found = [box for span in turn.spans for box in span.boxes]
            assert all(np.abs(boxes - box.xyxy_px).max(axis=1).min() < 1e-3 for box in found), turn
            pointed, denied = pointed + bool(found), denied + (not found)
    assert pointed > 50 and 0 < denied < 0.4 * pointed


def test_choosing_names_boxes_on_offer_by_number() -> None:
    chosen = denied = 0
    for seed in range(1_000_000, 1_000_030):
        plain = conversation(seed, replace(PICTURES, pointing=1))
        more = conversation(seed, replace(PICTURES, pointing=1, choosing=2))
        assert more.turns[: len(plain.turns)] == plain.turns
        assert parsed(more.line()).turns == more.turns
        for turn in more.turns[len(plain.turns) :]:
            assert turn.skill == "choosing" and 0 < len(turn.offered) <= 10 and turn.spans is not None
            assert [one.number for one in turn.offered] == list(range(1, len(turn.offered) + 1))
            boxes = [box for span in turn.spans for box in span.boxes]
            fits = [max(box.iou(one.box) for one in turn.offered) >= 0.5 for box in boxes]
            chosen, denied = chosen + any(fits), denied + (not boxes)
    assert chosen > 30 and denied > 0
    sound = conversation(1_000_000, UnderstandingSpec(pictures=0, pairs=0, sounds=1, choosing=3))
    assert not any(turn.offered for turn in sound.turns)
