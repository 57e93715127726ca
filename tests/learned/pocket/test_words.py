"""The shipped table of words: words never trained lie by their kind, plurals, phrases, nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.pocket.words import class_vectors, named_rightly
from deixis.learned.world.categories import categories
from deixis.tools.pocket.shipped import WORDS, card, check, shipped
from deixis.tools.pocket.words import DIM, Words, packed, words


def test_words_never_trained_are_nearest_to_their_kind():
    figures = named_rightly(words())
    assert figures["held_out_n"] >= 40 and figures["held_out"] >= 0.85
    assert figures["synonyms"] >= 0.9
    assert figures == {key: card()[WORDS]["figures"][key] for key in figures}, "the card says what is so"


def test_vectors_have_length_one_and_kinds_lie_apart():
    places = class_vectors(words())
    assert places.shape == (len(categories()), DIM)
    assert np.linalg.norm(places, axis=1) == pytest.approx(1, abs=1e-5)
    nearness = places @ places.T - np.eye(len(places))
    assert nearness.max() < 0.95
    for phrase in ("dog", "red car", "a very old grandfather clock"):
        assert np.linalg.norm(words().vector(phrase)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("one", "other"), [("dogs", "dog"), ("The Puppies", "puppy"), ("two mice", "mouse"), ("my CARS", "car")]
)
def test_plural_article_and_case_change_little(one, other):
    assert words().vector(one) @ words().vector(other) > 0.85


def test_what_stands_before_the_head_moves_it_a_little():
    dog, brown = words().vector("dog"), words().vector("glorbing brown dog")
    assert 0.8 < dog @ brown < 1
    assert words().vector("dog with a hat") == pytest.approx(dog)


@pytest.mark.parametrize("phrase", ["", "quixotron", "🦄", "the", "blorptified quixotrons"])
def test_nonsense_has_no_place(phrase):
    assert words().vector(phrase) is None
    assert words().nearest(phrase) == []
    assert phrase not in words()


def test_the_nearest_of_some_names():
    (best, cosine), *_ = words().nearest("puppy", ("cat", "dog", "car", "quixotron"), count=3)
    assert best == "dog" and 0.4 < cosine <= 1
    assert words().nearest("dog")[0][0] == "dog"


def test_a_table_is_read_as_it_was_packed():
    vectors = np.random.default_rng(0).normal(0, 1, (3, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    table = Words(packed(("ant", "bee", "honey bee"), vectors))
    for phrase, vector in zip(table.phrases, vectors, strict=True):
        assert table.vector(phrase) @ vector > 0.999


def test_a_damaged_table_is_refused_naming_the_digest_expected(tmp_path):
    content = bytearray(shipped(WORDS).read_bytes())
    content[-1] ^= 1
    path = tmp_path / WORDS
    path.write_bytes(content)
    expected = card()[WORDS]["digest"]
    with pytest.raises(InputFault, match=f"expected was {expected}") as caught:
        check(path, expected)
    assert caught.value.code == "tools.pocket.digest" and "--part words" in caught.value.cure
    with pytest.raises(InputFault, match="is not there"):
        check(tmp_path / "none.onnx", expected)
    path.write_bytes(b"no table")
    with pytest.raises(InputFault, match="not one of this version"):
        words(path)
