"""Questions about scenes: the truth they claim is the scene's, and the rules of the main job read them."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.graphs.rules.questions import parse
from deixis.learned.world.categories import categories, class_of, fits
from deixis.learned.world.questions import Truth, absent_words, phrases, questions, with_article
from deixis.learned.world.relations import OPPOSITES, relations
from deixis.learned.world.scenes import Scene, scenes

SOME = tuple(scenes(0, 80))
ASKED: tuple[tuple[Scene, Truth], ...] = tuple(
    (drawn, truth)
    for drawn in SOME
    for words in ("training", "held_out")
    for truth in questions(drawn, np.random.default_rng(drawn.seed), 8, words)  # type: ignore[arg-type]
)


def test_all_kinds_are_asked() -> None:
    kinds = {truth.asked for _, truth in ASKED}
    assert kinds == {"presence", "where", "count", "which", "relation", "attribute", "list"}
    absent = np.mean([not truth.present for _, truth in ASKED])
    assert 0.15 < absent < 0.5


def test_the_rules_of_the_main_job_understand_the_questions() -> None:
    odd = []
    for _, truth in ASKED:
        read = parse(truth.question)
        intent = "which" if truth.asked == "relation" else truth.asked
        if read.intent != intent or (truth.phrase and truth.phrase not in " ".join(read.phrases)):
            odd.append((truth.question, read.intent, read.phrases))
    assert len(odd) <= 0.01 * len(ASKED), odd[:5]


def test_absent_words_are_true_of_nothing_that_shows() -> None:
    for drawn in SOME:
        for word in absent_words(drawn):
            assert not fits(word) & set(drawn.classes.tolist())
    for drawn, truth in ASKED:
        if not truth.present and truth.phrase:
            assert truth.things == ()
            assert not fits(truth.phrase) & set(drawn.classes.tolist())


def test_present_things_are_those_of_the_word() -> None:
    for drawn, truth in ASKED:
        if truth.asked in {"presence", "where"} and truth.present:
            assert set(drawn.classes[list(truth.things)].tolist()) <= set(fits(truth.phrase))
            everything = np.flatnonzero(np.isin(drawn.classes, list(fits(truth.phrase)))).tolist()
            assert everything == list(truth.things)
        if truth.asked == "count":
            kind = class_of()[truth.phrase]
            assert truth.answer == str(int((drawn.classes == kind).sum()))
        if truth.asked == "attribute":
            assert truth.answer == drawn.colours[truth.things[0]] != ""


def test_held_out_questions_use_held_out_words_only() -> None:
    held = {word for thing in categories() for word in thing.held_out}
    for drawn in SOME[:40]:
        for word, _ in phrases(drawn, "held_out"):
            assert word in held
        for word, _ in phrases(drawn):
            assert word not in held


def test_relations_have_their_opposites_and_fit_the_boxes() -> None:
    found = 0
    for drawn in SOME:
        links = {(link.first, link.kind, link.second) for link in relations(drawn)}
        for first, kind, second in links:
            found += 1
            one, other = drawn.boxes[first], drawn.boxes[second]
            if kind in OPPOSITES:
                assert (second, OPPOSITES[kind], first) in links
            if kind == "left of":
                assert one[0] + one[2] < other[0] + other[2]
            elif kind == "above":
                assert one[1] + one[3] < other[1] + other[3]
            elif kind == "larger than":
                assert (one[2] - one[0]) * (one[3] - one[1]) > (other[2] - other[0]) * (other[3] - other[1])
    assert found > 100


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dog", "a dog"),
        ("apple", "an apple"),
        ("scissors", "scissors"),
        ("sheep", "a sheep"),
        ("clothes", "clothes"),
    ],
)
def test_articles(name: str, said: str) -> None:
    assert with_article(name) == said
