"""Rows: what is seen and heard, as decoded facts that the adapters turn into tokens.

A picture is `objects` rows of its things (surest first, boxes that overlap by `SAME_THING` once), `cells`²
rows of its parts, and one of the whole. Each row: a vector in the space of words (d), features of the eye's
last map (k), shares of the twelve colour words inside the box's ellipse and outside of it (24), the logits of
the kinds (c), sureness, 1 where the row is there, and the box as shares of width and height (4). A sound is
rows of its events, of stretches of equal length, and of the whole: activities of the kinds, a vector in the
space of words, the ear's features, 1 where the row is there, and start and end as shares of the length (2).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.geometry import non_maximum_suppression
from deixis.learned.world.colours import COLOURS, word_of
from deixis.tools.pocket.ear import FRAME_S, Limits, stretches
from deixis.tools.pocket.eye import FAINTEST, SAME_THING, STRIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.learned.mllm.hearing import Listened
    from deixis.learned.mllm.sight import Maps

Array = "NDArray[np.float32]"
COLOUR_ROW = 2 * len(COLOURS)
PICTURE_TAIL = 6
"""Sureness, presence, box."""
SOUND_TAIL = 3
"""Presence, start, end."""
FAINT = 0.5
"""Share of the ear's limit from which a stretch is a row: the decoder shall see what is doubtful as well."""
_STEPS = 8


def picture_width(eye: dict[str, Any]) -> int:
    """Returns the length of a picture's row."""
    return int(eye["vector"] + eye["neck"] + COLOUR_ROW + eye["kinds"] + PICTURE_TAIL)


def sound_width(ear: dict[str, Any]) -> int:
    """Returns the length of a sound's row."""
    return int(ear["kinds"] + ear["vector"] + ear["width"] + SOUND_TAIL)


def picture_rows(
    maps: Maps, at: int, pixels: NDArray[np.uint8], shares: tuple[float, float], objects: int, cells: int
) -> NDArray[np.float32]:
    """Returns the rows (objects + cells² + 1, width) of picture number `at` of the maps.

    Args:
        maps: what is seen.
        at: which picture.
        pixels: the picture as the eye sees it, RGB (h, w, 3).
        shares: of its width and height that are picture, the rest being filled up.
        objects: rows of things.
        cells: rows of parts along a side.
    """
    height, width = pixels.shape[:2]
    real = np.array([width * shares[0], height * shares[1]] * 2, np.float32)
    sure = 1 / (1 + np.exp(-maps.sure[at].float().cpu().numpy()))
    vectors, neck, kinds = (one[at].float().cpu().numpy() for one in (maps.vectors, maps.neck, maps.kinds))
    facts = np.concatenate([vectors, neck], 1)
    boxes = np.clip(maps.boxes[at].float().cpu().numpy(), 0, real)
    words = colour_words(pixels)
    solid = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
    usable = np.flatnonzero(solid & (sure >= FAINTEST))
    kept = non_maximum_suppression(
        boxes[usable].astype(np.float64), sure[usable].astype(np.float64), SAME_THING, objects
    )
    chosen = usable[kept]
    rows = [
        _row(facts[cell], shares_of(words, boxes[cell]), kinds[cell], float(sure[cell]), boxes[cell] / real)
        for cell in chosen
    ]
    empty = np.zeros(facts.shape[1] + COLOUR_ROW + kinds.shape[1] + PICTURE_TAIL, np.float32)
    rows += [empty] * (objects - len(rows))
    rows += _parts(maps.size, sure, vectors, neck, kinds, words, real, cells)
    every = np.array([0, 0, real[0], real[1]], np.float32)
    whole = np.concatenate([maps.picture[at].float().cpu().numpy(), neck.mean(axis=0)])
    tags = maps.tags[at].float().cpu().numpy()
    rows.append(_row(whole, shares_of(words, every), tags, 1.0, every / real))
    return np.stack(rows).astype(np.float32)


def _row(
    facts: NDArray[Any], colours: NDArray[Any], kinds: NDArray[Any], sure: float, box: NDArray[Any]
) -> NDArray[np.float32]:
    return np.concatenate([facts, colours, kinds, [sure, 1.0], box]).astype(np.float32)


def _parts(
    size: tuple[int, int],
    sure: NDArray[Any],
    vectors: NDArray[Any],
    neck: NDArray[Any],
    kinds: NDArray[Any],
    words: NDArray[np.int64],
    real: NDArray[np.float32],
    cells: int,
) -> list[NDArray[np.float32]]:
    """Returns a row for each part of the picture, row by row: means, of vectors and kinds by sureness."""
    down, across = np.divmod(np.arange(size[0] * size[1]), size[1])
    middle = (np.stack([across, down], 1) + 0.5) * STRIDE
    at = np.minimum((middle / real[:2] * cells).astype(np.int64), cells - 1)
    inside = (middle < real[:2]).all(axis=1)
    found = []
    for part in range(cells * cells):
        row, column = divmod(part, cells)
        mine = np.flatnonzero(inside & (at[:, 0] == column) & (at[:, 1] == row))
        box = np.array([column, row, column + 1, row + 1], np.float32) / cells
        if not len(mine):
            mine = np.array([0])
        weight = (sure[mine, None] + 1e-4) / (sure[mine] + 1e-4).sum()
        facts = np.concatenate([(vectors[mine] * weight).sum(axis=0), neck[mine].mean(axis=0)])
        named = (kinds[mine] * weight).sum(axis=0)
        colours = shares_of(words, box * real)
        found.append(_row(facts, colours, named, float(sure[mine].max()), box))
    return found


@cache
def _table() -> NDArray[np.int64]:
    steps = [int((step + 0.5) * 256 / _STEPS) for step in range(_STEPS)]
    return np.array([COLOURS.index(word_of(r, g, b)) for r in steps for g in steps for b in steps])


def colour_words(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Returns the number of the colour word of each pixel, (h, w)."""
    step = pixels.astype(np.int64) // (256 // _STEPS)
    found: NDArray[np.int64] = _table()[(step[..., 0] * _STEPS + step[..., 1]) * _STEPS + step[..., 2]]
    return found


def shares_of(words: NDArray[np.int64], box: NDArray[Any]) -> NDArray[np.float32]:
    """Returns the shares of the colour words (24,): inside a box's ellipse, and in the rest of the box."""
    height, width = words.shape
    x1, y1 = max(0, int(box[0])), max(0, int(box[1]))
    x2, y2 = min(width, max(x1 + 1, int(np.ceil(box[2])))), min(height, max(y1 + 1, int(np.ceil(box[3]))))
    x1, y1 = min(x1, x2 - 1), min(y1, y2 - 1)
    window = words[y1:y2, x1:x2]
    down = (np.arange(y2 - y1) + 0.5) / (y2 - y1) * 2 - 1
    across = (np.arange(x2 - x1) + 0.5) / (x2 - x1) * 2 - 1
    near = down[:, None] ** 2 + across[None] ** 2 <= 0.7
    found = np.zeros((2, len(COLOURS)), np.float32)
    for number, part in enumerate((window[near], window[~near])):
        if len(part):
            found[number] = np.bincount(part, minlength=len(COLOURS)) / len(part)
    return found.ravel()


def sound_rows(
    heard: Listened, at: int, seconds: float, limits: dict[str, Any], events: int, windows: int
) -> NDArray[np.float32]:
    """Returns the rows (events + windows + 1, width) of sound number `at`, `seconds` long."""
    count = max(1, min(heard.activity.shape[1], int(np.ceil(seconds / FRAME_S))))
    activity = heard.activity[at, :count].float().cpu().numpy()
    vectors = heard.vectors[at, :count].float().cpu().numpy()
    features = heard.features[at, :count].float().cpu().numpy()
    high = tuple(FAINT * value for value in limits["high"])
    low = min(limits["low"], FAINT * min(limits["high"]))
    doubtful = Limits(**{**limits, "high": high, "low": low})
    found = sorted(stretches(activity, doubtful, seconds), key=lambda one: -one.score)[:events]
    rows = []
    for one in sorted(found, key=lambda one: (one.start_s, one.kind)):
        first, last = (
            int(one.start_s / FRAME_S),
            max(int(one.start_s / FRAME_S) + 1, int(one.end_s / FRAME_S)),
        )
        kinds = np.zeros(activity.shape[1], np.float32)
        kinds[one.kind] = one.score
        times = (one.start_s / seconds, one.end_s / seconds)
        rows.append(_heard(kinds, vectors[first:last], features[first:last], times))
    width = activity.shape[1] + vectors.shape[1] + features.shape[1] + SOUND_TAIL
    rows += [np.zeros(width, np.float32)] * (events - len(rows))
    for number in range(windows):
        first = min(count - 1, number * count // windows)
        part = slice(first, max(first + 1, (number + 1) * count // windows))
        times = (number / windows, (number + 1) / windows)
        rows.append(_heard(activity[part].max(axis=0), vectors[part], features[part], times))
    rows.append(_heard(activity.max(axis=0), vectors, features, (0.0, 1.0)))
    return np.stack(rows).astype(np.float32)


def _heard(
    kinds: NDArray[Any], vectors: NDArray[Any], features: NDArray[Any], times: tuple[float, float]
) -> NDArray[np.float32]:
    parts = [kinds, vectors.mean(axis=0), features.mean(axis=0), [1.0, *times]]
    return np.concatenate(parts).astype(np.float32)
