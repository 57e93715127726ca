"""Films: the tubes lie on what shows, the sounds lie where their makers are seen."""

from __future__ import annotations

import numpy as np

from deixis.learned.world.categories import categories
from deixis.learned.world.films import Film, FilmSpec, film
from deixis.learned.world.sounds import KINDS

SOME: tuple[Film, ...] = tuple(film(seed, FilmSpec(side=96)) for seed in range(25))


def test_same_seed_same_film() -> None:
    again = film(3, FilmSpec(side=96))
    assert np.array_equal(again.frames, SOME[3].frames)
    assert np.array_equal(again.samples, SOME[3].samples)
    assert again.sounds == SOME[3].sounds
    assert not np.array_equal(SOME[3].frames, SOME[4].frames)


def test_boxes_are_tight_and_spans_are_theirs() -> None:
    for made in SOME:
        for number, tube in enumerate(made.tubes):
            shown = ~np.isnan(tube.boxes[:, 0])
            for at in np.flatnonzero(shown):
                rows, columns = np.nonzero(made.owner[at] == number + 1)
                tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert tube.boxes[at].tolist() == tight
            seconds = sum(end - start for start, end in tube.spans)
            assert seconds == shown.sum() / made.rate_fps


def test_things_move_come_and_go() -> None:
    tubes = [tube for made in SOME for tube in made.tubes]
    moved = [np.nanmax(t.boxes[:, 0]) - np.nanmin(t.boxes[:, 0]) > 10 for t in tubes if t.spans]
    assert np.mean(moved) > 0.4
    assert any(tube.spans and tube.spans[0][0] > 0.3 for tube in tubes)
    assert any(tube.spans and tube.spans[-1][1] < 3.5 for tube in tubes)


def test_sounds_belong_to_things_that_show_or_to_nothing_in_the_picture() -> None:
    outside = 0
    for made in SOME:
        could = {categories()[tube.kind].sound for tube in made.tubes}
        for sound in made.sounds:
            if sound.maker is None:
                outside += 1
                assert KINDS[sound.kind] not in could
                continue
            tube = made.tubes[sound.maker]
            assert categories()[tube.kind].sound == KINDS[sound.kind]
            start, end = tube.spans[0]
            assert start - 0.01 <= sound.start_s < sound.end_s <= end + 0.01
            piece = made.samples[int(sound.start_s * 16_000) : int(sound.end_s * 16_000)]
            assert np.abs(piece).max() > 0.02
    assert outside > 0
