"""Singular, plural, article, head noun, lexicon, name vectors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.tools.detection.coco import COCO_80
from deixis.tools.words import lexicon, vectors
from deixis.tools.words.morphology import article, is_plural, plural, singular
from deixis.tools.words.phrases import core, head_noun, strip_determiners

PAIRS = [
    ("dog", "dogs"), ("bus", "buses"), ("knife", "knives"), ("person", "people"), ("man", "men"),
    ("woman", "women"), ("child", "children"), ("mouse", "mice"), ("goose", "geese"), ("sheep", "sheep"),
    ("toothbrush", "toothbrushes"), ("bench", "benches"), ("box", "boxes"), ("couch", "couches"),
    ("potato", "potatoes"), ("piano", "pianos"), ("tie", "ties"), ("kite", "kites"), ("vase", "vases"),
    ("horse", "horses"), ("giraffe", "giraffes"), ("strawberry", "strawberries"), ("boy", "boys"),
    ("octopus", "octopuses"), ("glass", "glasses"), ("scissors", "scissors"), ("policeman", "policemen"),
    ("traffic light", "traffic lights"), ("hot dog", "hot dogs"), ("human", "humans"), ("leaf", "leaves"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "many"), PAIRS)
def test_plural_and_back(one: str, many: str) -> None:
    assert plural(one) == many
    assert singular(one) == one
    if many != "glasses":  # 'glasses' are also spectacles, one thing to a detector
        assert singular(many) == one
        assert is_plural(many) is (one != many)


@pytest.mark.parametrize("name", COCO_80)
def test_names_of_things_survive_the_plural(name: str) -> None:
    assert singular(name) == name
    if name != "wine glass":
        assert singular(plural(name)) == name


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_breaks_them(text: str) -> None:
    assert isinstance(singular(text) + plural(text) + article(text) + core(text) + head_noun(text), str)
    assert strip_determiners(text) == strip_determiners(strip_determiners(text)) or not text.strip()


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("dog", "a"), ("apple", "an"), ("hour", "an"), ("unicorn", "a"), ("uniform", "a"), ("umbrella", "an"),
        ("X-ray", "an"), ("TV", "a"), ("MP3 player", "an"), ("one-way street", "a"), ("8-ball", "an"),
        ("unimportant thing", "an"), ("", "a"),
    ],
)  # fmt: skip
def test_article_follows_the_sound(noun: str, said: str) -> None:
    assert article(noun) == said


@pytest.mark.parametrize(
    ("phrase", "head"),
    [
        ("man with a hat", "man"),
        ("the small brown dog on the left", "dog"),
        ("the dog's owner", "owner"),
        ("glass of wine", "glass"),
        ("two children playing", "children"),
        ("a woman in a blue shirt cutting a cake", "woman"),
        ("", ""),
    ],
)
def test_head_of_a_noun_phrase(phrase: str, head: str) -> None:
    assert head_noun(phrase) == head


def test_the_lexicon_names_only_known_things_and_no_word_twice() -> None:
    words = [word for name in COCO_80 for word in lexicon.words_for(name)]
    assert len(words) == len(set(words)) > 900
    assert not set(words) & set(COCO_80), "a name is no synonym"
    for word in words:
        assert lexicon.synonym(word) in COCO_80
    for kind in ("animal", "vehicle", "fruit", "furniture"):
        assert set(lexicon.kinds_of(kind)) <= set(COCO_80)
        assert len(lexicon.kinds_of(kind)) >= 3
    assert not lexicon.synonym("unicorn")


@pytest.mark.shared
def test_name_vectors_tell_kin_from_strangers(shared) -> None:
    assert vectors.cosine("dog", "puppy") > 0.6
    assert vectors.cosine("couch", "sofa") > 0.7
    assert vectors.cosine("dog", "violin") < 0.3
    assert vectors.cosine("dog", "blorp") is None
    assert vectors.nearest("kitten", COCO_80)[0] == "cat"
    assert vectors.clip_space().dimension == 512


def test_without_weights_there_is_no_space_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEIXIS_SHARED", raising=False)
    vectors.clip_space.cache_clear()
    try:
        assert vectors.clip_space() is None
        assert vectors.cosine("dog", "cat") is None
    finally:
        vectors.clip_space.cache_clear()
