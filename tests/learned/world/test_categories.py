"""The things of the world: names that are apart, words that are kept from training, sounds that exist."""

from __future__ import annotations

from collections import Counter

from deixis.learned.world.atlas import FAMILIES, TRAIN_FAMILIES, UNSEEN_FAMILY, by_class, sprites, table
from deixis.learned.world.categories import categories, class_of, fits, wide_words
from deixis.learned.world.grounds import GROUNDS


def test_there_are_many_things_with_names_of_their_own() -> None:
    names = [thing.name for thing in categories()]
    assert len(names) >= 110
    assert len(set(names)) == len(names)
    assert {"person", "dog", "cat", "car", "airplane", "guitar"} <= set(names)


def test_no_word_names_two_things() -> None:
    said = Counter(
        word for thing in categories() for word in (*thing.words, *thing.held_out, *thing.narrower)
    )
    assert [word for word, times in said.items() if times > 1] == []


def test_held_out_words_are_never_words_of_training() -> None:
    held = {word for thing in categories() for word in thing.held_out}
    trained = {word for thing in categories() for word in (*thing.words, thing.plural, *thing.broader)}
    assert len(held) >= 40
    assert {"puppy", "kitty", "automobile"} <= held
    assert not held & trained
    assert class_of()["puppy"] == class_of()["dog"]


def test_wide_words_reach_all_their_kinds() -> None:
    names = {categories()[number].name for number in fits("animal")}
    assert {"dog", "owl", "whale"} <= names
    assert "car" not in names
    assert "animal" in wide_words()
    assert "bird" not in wide_words()  # a class of its own
    assert categories()[class_of()["owl"]].name in {categories()[n].name for n in fits("bird")}
    assert fits("girl") == {class_of()["person"]}
    assert "girl" not in class_of()


def test_every_place_is_a_ground() -> None:
    assert {place for thing in categories() for place in thing.places} <= set(GROUNDS)


def test_every_sound_is_one_that_can_be_made() -> None:
    from deixis.learned.world.sounds import KINDS

    kinds = {str(getattr(kind, "name", kind)) for kind in KINDS}
    assert {thing.sound for thing in categories() if thing.sound} <= kinds


def test_every_thing_is_drawn_by_three_families_of_training_and_by_the_unseen_one() -> None:
    for number, thing in enumerate(categories()):
        assert sum(number in by_class(family) for family in TRAIN_FAMILIES) >= 3, thing.name
        assert number in by_class(UNSEEN_FAMILY), thing.name


def test_the_unseen_family_is_not_trained_on() -> None:
    assert UNSEEN_FAMILY not in TRAIN_FAMILIES
    assert set(FAMILIES) == {*TRAIN_FAMILIES, UNSEEN_FAMILY}


def test_sprites_are_cut_to_what_shows() -> None:
    for family in FAMILIES:
        for sprite in sprites(family):
            alpha = sprite.pixels[..., 3]
            assert max(alpha.shape) == table()["cell"]
            assert alpha.max() > 128
            assert min(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) > 0


def test_every_family_names_its_licence() -> None:
    from deixis.learned.world.atlas import ATLAS

    notice = (ATLAS / "NOTICE.md").read_text("utf-8")
    for family, entry in table()["families"].items():
        assert entry["licence"] in notice
        assert f"`{family}.webp`" in notice
        assert entry["version"] in notice
        assert len(entry["icons_sha256"]) == 64
    assert sum(path.stat().st_size for path in ATLAS.iterdir()) < 6_000_000
