"""Pictures and sounds in one space: which thing makes the sound, and whether any does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deixis.eval.pocket.styles import STYLES, asked, clustered, mean
from deixis.eval.report import Measure, bootstrap
from deixis.geometry import Box, TimeSpan
from deixis.learned.world.pairs import PairSpec, WorldPair, pair
from deixis.learned.world.scenes import TEST_SEEDS
from deixis.store import Store
from deixis.tools.embedding import AudioPart, EmbedRequest, ImageRegion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.tools.toolbox import Toolbox

PAIRS = 300
SOURCE_BARS = {"in style": 0.93, "unseen style": 0.75}
REFUSED_BARS = {"in style": 0.95, "unseen style": 0.85}
NO_VECTOR = -1.0
"""The cosine of what has no place in the space: as far from everything as can be."""


class Likeness(NamedTuple):
    """Of one pair: its cosine, whether it matches (None: neither), and the sources pointed at rightly.

    The cosine is that of the sound with the thing it is nearest to.
    """

    cosine: float
    matched: bool | None
    pointed: tuple[bool, ...]


def pairs(
    toolbox: Toolbox, data: Path, progress: Callable[[int, int], None], count: int = PAIRS
) -> list[Measure]:
    """Returns how often the right thing is nearest to a sound, and the AUROC of matching pairs, by style.

    Things are shown by their true boxes, sounds by the true time of each event where there are several. A
    thing is chosen among all that show, of which some do not make the sound. Intervals are over pairs.
    """
    tool = toolbox.need("embedding")
    found = []
    for number, (style, spec) in enumerate(STYLES.items()):
        likenesses = []
        with tempfile.TemporaryDirectory(prefix="deixis-pocket-") as folder:
            store = Store(Path(folder))
            wanted = replace(PairSpec(), scene=spec)
            for index, seed in enumerate(TEST_SEEDS[:count], 1):
                likenesses.append(likeness(tool, pair(seed, wanted), store))
                progress(number * count + index, len(STYLES) * count)
        decided = [one for one in likenesses if one.matched is not None]
        found += [
            clustered(
                f"right source among what shows, {style}",
                [one.pointed for one in likenesses],
                mean,
                SOURCE_BARS[style],
            ),
            bootstrap(f"mismatched pairs refused (AUROC), {style}", decided, auroc, REFUSED_BARS[style]),
        ]
    return found


def likeness(tool: Any, one: WorldPair, store: Store) -> Likeness:
    """Returns what the embedder makes of a pair."""
    image = store.add_image(one.scene.pixels)
    audio = store.add_audio((one.clip.samples, 16_000))
    several = len(one.clip.events) > 1
    spans = [TimeSpan(start_s=event.start_s, end_s=event.end_s) for event in one.clip.events]
    request = EmbedRequest(
        images=tuple(ImageRegion(image=image, box=Box.of(box.tolist())) for box in one.scene.boxes),
        audios=tuple(AudioPart(audio=audio, span=span if several else None) for span in spans),
    )
    result = asked(tool, request, store)
    cosines = cosines_of(result.audios, result.images)
    pointed = tuple(
        points_at(row, sources)
        for row, sources in zip(cosines, one.sources, strict=True)
        if 0 < len(sources) < len(row)
    )
    return Likeness(float(cosines.max(initial=NO_VECTOR)), one.matched, pointed)


def points_at(cosines: NDArray[np.float64], sources: Sequence[int]) -> bool:
    """Returns whether one of the sources is nearer than every other thing; a tie points at nothing."""
    others = np.delete(cosines, list(sources))
    return bool(cosines[list(sources)].max() > others.max())


def cosines_of(
    rows: Sequence[tuple[float, ...] | None], columns: Sequence[tuple[float, ...] | None]
) -> NDArray[np.float64]:
    """Returns the cosine of each unit vector with each other, shape (rows, columns)."""
    found = np.full((len(rows), len(columns)), NO_VECTOR)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            if row is not None and column is not None:
                found[i, j] = float(np.dot(row, column))
    return found


def auroc(likenesses: Sequence[Any]) -> float:
    """Returns how often a matching pair is nearer than one that does not match; a tie counts half.

    A half where one of both is missing.
    """
    right = np.sort([one.cosine for one in likenesses if one.matched])
    wrong = np.array([one.cosine for one in likenesses if one.matched is False])
    if not len(right) or not len(wrong):
        return 0.5
    below = np.searchsorted(right, wrong, "right")
    ties = below - np.searchsorted(right, wrong, "left")
    return float((len(right) - below + ties / 2).mean() / len(right))
