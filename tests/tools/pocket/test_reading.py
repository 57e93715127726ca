"""Phrases read as kinds: by name, by head, and by where a word lies."""

from __future__ import annotations

import pytest

from deixis.tools.pocket.reading import PhraseReader
from deixis.tools.pocket.words import words
from tests.tools.pocket.eyes import KINDS


@pytest.fixture(scope="module")
def reader():
    return PhraseReader(KINDS, words())


@pytest.mark.parametrize(
    ("phrase", "kinds", "how"),
    [
        ("dog", {0}, "exact"),
        ("  The DOG ", {0}, "exact"),
        ("dogs", {0}, "plural"),
        ("three cats", {1}, "plural"),
        ("hounds", {0}, "synonym"),
        ("a motorcar", {2}, "synonym"),
        ("animal", {0, 1}, "hypernym"),
        ("vehicles", {2}, "hypernym"),
        ("a small brown dog", {0}, "head"),
        ("the dog with a red car", {0}, "head"),
        ("a dog and two cars", {0, 2}, "head"),
        ("puppy", {0}, "embedding"),
        ("kitty", {1}, "embedding"),
        ("automobile", {2}, "embedding"),
        ("a cute little kitten", {1}, "embedding"),
    ],
)
def test_phrases_are_read(reader, phrase, kinds, how):
    meant = reader.read(phrase)
    assert meant is not None and set(meant.kinds) == kinds
    assert meant.how == how and 0 < meant.score <= 1
    assert len(meant.weights) == len(meant.kinds)


@pytest.mark.parametrize(
    "phrase",
    ["", "  ", "🦄", "12", "the", "quixotron", "a blorptified quixotron", "algebra"],
)
def test_what_is_no_kind_is_not_read(reader, phrase):
    assert reader.read(phrase) is None
