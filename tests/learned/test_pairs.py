"""Pairs: seeded, balanced, never accidentally positive, with the reason on record."""

from __future__ import annotations

import pytest

from deixis.errors import InputFault
from deixis.learned.pairs import PictureItem, SoundItem, join_captions, make_pairs, maker_of

PICTURES = [
    PictureItem(file="dog.jpg", things=("puppy", "car"), caption="A puppy beside a car"),
    PictureItem(file="cat.jpg", things=("cat",), caption="A cat."),
    PictureItem(file="street.jpg", things=("bus", "truck"), caption="A street"),
    PictureItem(file="people.jpg", things=("woman",), caption="A woman"),
]
SOUNDS = [
    SoundItem(file="bark.wav", label="bark", parents=("dog",), caption="A dog barks"),
    SoundItem(file="meow.wav", label="meow", parents=("cat",)),
    SoundItem(file="horn.wav", label="vehicle horn, car horn, honking", parents=("car",)),
    SoundItem(file="talk.wav", label="conversation", parents=("speech", "human voice", "human sounds")),
    SoundItem(file="wind.wav", label="wind", parents=("natural sounds",)),
]


def test_same_seed_same_pairs_and_another_seed_others() -> None:
    assert make_pairs(PICTURES, SOUNDS, 10, seed=1) == make_pairs(PICTURES, SOUNDS, 10, seed=1)
    assert make_pairs(PICTURES, SOUNDS, 10, seed=1) != make_pairs(PICTURES, SOUNDS, 10, seed=2)


@pytest.mark.parametrize("seed", range(20))
def test_no_accidental_positive_and_no_pair_twice(seed: int) -> None:
    pictures = {picture.file: picture for picture in PICTURES}
    sounds = {sound.file: sound for sound in SOUNDS}
    pairs = make_pairs(PICTURES, SOUNDS, 10, seed=seed)
    assert len({(pair.picture, pair.sound) for pair in pairs}) == len(pairs)
    for pair in pairs:
        maker = maker_of(pictures[pair.picture], sounds[pair.sound])
        assert pair.thing == maker
        assert pair.verdict == ("matched" if maker else "unmatched")
        assert pair.sound != "wind.wav"
        assert sounds[pair.sound].label in pair.reason
    assert abs(sum(p.verdict == "matched" for p in pairs) - sum(p.verdict == "unmatched" for p in pairs)) <= 1


def test_a_synonym_in_the_picture_is_a_source() -> None:
    assert maker_of(PICTURES[0], SOUNDS[0]) == "puppy"
    assert maker_of(PICTURES[3], SOUNDS[3]) == "woman"
    assert maker_of(PICTURES[1], SOUNDS[0]) is None


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(InputFault) as caught:
        make_pairs(PICTURES[1:2], SOUNDS[1:2], 4, seed=0)
    assert caught.value.code == "pairs.impossible"


@pytest.mark.parametrize(
    ("captions", "joined"),
    [
        (("A dog", "It barks"), "A dog. It barks."),
        (("A dog.", "", "It barks!"), "A dog. It barks!"),
        (("  A\n dog ",), "A dog."),
        ((), ""),
    ],
)
def test_captions_are_joined_as_sentences(captions: tuple[str, ...], joined: str) -> None:
    assert join_captions(*captions) == joined
