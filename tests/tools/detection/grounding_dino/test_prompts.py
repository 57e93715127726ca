"""Phrases to prompts and back: exact phrases, head nouns, the limit of a prompt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deixis.tools.detection.grounding_dino.prompts import Vocabulary, asked, clean, kind_of, passes

WORDS = Vocabulary(start=1, end=2, stop=3, unknown=4)


def tokens(word: str) -> list[int]:
    """A token a letter; signs are unknown."""
    return [100 + ord(letter) % 64 if letter.isalnum() else 4 for letter in word]


def _asked(phrase: str, most: int = 253):
    return asked(phrase, tokens, WORDS, most)


def test_signs_that_part_phrases_never_get_into_one() -> None:
    assert clean(" A Dog. Is it? [SEP]  red") == "a dog is it sep red"


def test_the_head_noun_is_found_among_the_tokens() -> None:
    man = _asked("old man with a hat")
    assert man.head == (3, 4, 5)
    assert _asked("red car").head == (3, 4, 5)
    assert _asked("cars").head == (0, 1, 2, 3)


def test_what_has_no_known_word_is_empty() -> None:
    assert _asked("").empty and _asked("🦄 !").empty and _asked("...").empty
    assert not _asked("🦄 dog").empty


def test_a_phrase_longer_than_a_prompt_is_cut_and_says_so() -> None:
    long = _asked("a" * 300)
    assert long.cut and len(long.ids) == 253 and max(long.head) == 252
    assert len(passes([long], WORDS, 256)[0].ids) == 256


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60, unique=True), st.booleans())
def test_every_phrase_is_in_one_prompt_at_its_place_and_none_is_over_the_limit(
    lengths: list[int], together: bool
) -> None:
    phrases = [_asked(chr(97 + length % 26) * length) for length in lengths]
    made = passes(phrases, WORDS, 64, together)
    assert [one for prompt in made for one, _ in prompt.begins] == phrases
    for prompt in made:
        assert len(prompt.ids) <= 64 and prompt.ids[0] == 1 and prompt.ids[-1] == 2
        for phrase, at in prompt.begins:
            assert prompt.ids[at : at + len(phrase.ids)] == phrase.ids
            assert prompt.ids[at + len(phrase.ids)] == WORDS.stop
    if together and sum(len(one.ids) + 1 for one in phrases) + 2 <= 64:
        assert len(made) == 1
    if not together:
        assert len(made) == len(phrases)


def test_synonyms_are_of_one_kind_and_other_things_are_not() -> None:
    assert kind_of("couch") == kind_of("the sofas")
    assert kind_of("red car") != kind_of("blue car")
    assert kind_of("a dog") == kind_of("dogs") != kind_of("cat")
