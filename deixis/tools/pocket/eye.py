"""The eye: a picture in, boxes with their kinds and vectors in the space of words out.

The file carries its kinds and the limits that make claims of scores in its metadata, so that one digest
covers all of it. `deixis.learned.pocket.eye` is the recipe. A picture is looked at once: whoever asks for
the same pixels again (tagging, detection, embedding) is given what was seen.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deixis.errors import InputFault
from deixis.geometry import iou_matrix, non_maximum_suppression
from deixis.tools.onnx import opened
from deixis.tools.pocket.shipped import EYE, shipped
from deixis.tools.pocket.strangeness import Strangeness, strangeness
from deixis.tools.weights.digest import sha256_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIDE = 8
"""Pixels a cell."""
SIDE, SCENE_SIDE = 224, 160
"""Longer side of the picture as the network sees it, and that of the scenes it was trained on: in a larger
picture its cells are finer. How well the eye does by side is in docs/numbers/eye-sides.json, by
``python -m deixis.eval.pocket.sides``."""
LOOKED_AT_SIDE = 640
"""Longer side at which tools ask for a picture, all the same, so that it is looked at once."""
MULTIPLE = 32
KEPT = 8
"""Pictures whose sight is remembered."""
SAME_THING, FAINTEST = 0.55, 0.003
"""Of two boxes whose IoU is above the first the surer stays, whatever their kinds; fainter ones than the
second are no boxes."""
WHOLE = 0.95
"""A box that covers this share of the picture is asked of the picture as a whole."""
INPUT, FACTS = "pictures", "deixis.eye"
OUTPUTS = ("sure", "boxes", "kinds", "vectors", "picture", "tags")


class Kind(NamedTuple):
    """A kind of thing: its name, more words for it, and wider words that are true of it too."""

    name: str
    plural: str
    synonyms: tuple[str, ...]
    broader: tuple[str, ...]


class Limits(NamedTuple):
    """Scores from which a box is listed, a thing that was asked for is there, a tag is said."""

    box: float = 0.4
    present: float = 0.3
    tag: float = 0.5


class Seen(NamedTuple):
    """What is seen of a picture, with n cells; `usable` have a box, `kept` are those of different things.

    `boxes` (n, 4) in pixels of the picture, x1 y1 x2 y2, inside it. `sure` (n,): chance of a thing. `kinds`
    (n, c): chances of the kinds, should there be one. `vectors` (n, DIM) and `picture` (DIM,): unit vectors
    in the space of words. `tags` (c,): chance that the picture shows the kind. `strange`: chance that it is
    no drawn scene.
    """

    boxes: NDArray[np.float32]
    sure: NDArray[np.float32]
    kinds: NDArray[np.float32]
    vectors: NDArray[np.float32]
    picture: NDArray[np.float32]
    tags: NDArray[np.float32]
    usable: NDArray[np.int64]
    kept: NDArray[np.int64]
    strange: float

    def best(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Returns the score and the likeliest kind of each of the `kept` boxes."""
        chances = self.sure[self.kept, None] * self.kinds[self.kept]
        return chances.max(axis=1, initial=0), chances.argmax(axis=1)

    def cells_of(self, boxes: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Returns the cell (m,) that answers for each box (m, 4), and its IoU with it.

        It is the one that fits best; among those that fit alike the surer one.
        """
        overlap = iou_matrix(boxes.astype(np.float64), self.boxes.astype(np.float64))
        best = (overlap * (0.5 + self.sure[None])).argmax(axis=1)
        return best, overlap[np.arange(len(boxes)), best]


class Eye:
    """The loaded network; may be used from several threads."""

    def __init__(self, path: Path) -> None:
        with opened(path, _unusable) as session:
            self._session: Any = session
            facts = json.loads(session.get_modelmeta().custom_metadata_map[FACTS])
            self.kinds = tuple(
                Kind(name, plural, tuple(synonyms), tuple(broader))
                for name, plural, synonyms, broader in facts["kinds"]
            )
            self.limits = Limits(**facts["limits"])
            self.strangeness = Strangeness.of(facts["strangeness"])
            shapes = {one.name: one.shape for one in session.get_outputs()}
            fits = shapes["kinds"][-1] == len(self.kinds) and set(OUTPUTS) <= set(shapes)
        if not fits:
            raise _unusable(path, "its kinds and outputs do not belong together")
        self.names = tuple(kind.name for kind in self.kinds)
        self.weights_digest = f"sha256:{sha256_of(path)}"
        self.passes = 0
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()
        self._lock = threading.Lock()

    def see(self, pixels: NDArray[np.uint8]) -> Seen:
        """Returns what is seen of an RGB picture (h, w, 3); one forward pass a picture."""
        key = hashlib.blake2b(pixels.tobytes(), digest_size=16, salt=_shape(pixels)).digest()
        with self._lock:
            if key not in self._seen:
                self._seen[key] = self._look(pixels)
                self.passes += 1
                while len(self._seen) > KEPT:
                    self._seen.popitem(last=False)
            self._seen.move_to_end(key)
            return self._seen[key]

    def vectors(
        self,
        pixels: NDArray[np.uint8],
        boxes: Sequence[tuple[float, float, float, float]],
        meanings: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Returns a unit vector (m, DIM) for each box, x1 y1 x2 y2 in pixels of the RGB picture (h, w, 3).

        A box is answered for by the cell whose own box fits best; where none does by the cell it is
        centred on; a box around nearly all of the picture by the picture as a whole. With `meanings`, the
        vectors (c, DIM) of the kinds, that of a cell is moved as far again towards what it is taken for:
        names that lie near each other are told apart by the kinds' chances alone.
        """
        seen = self.see(pixels)
        asked = np.array(boxes, np.float64).reshape(-1, 4)
        if not len(asked):
            return np.zeros((0, seen.vectors.shape[1]), np.float32)
        rows, overlap = seen.cells_of(asked)
        middle = (seen.boxes[:, :2] + seen.boxes[:, 2:]) / 2
        off = np.abs(middle[None] - (asked[:, None, :2] + asked[:, None, 2:]) / 2).sum(-1)
        rows = np.where(overlap > 0.1, rows, off.argmin(axis=1))
        found = seen.vectors[rows]
        if meanings is not None:
            # Each row by itself: a product of matrices rounds otherwise when there are more of them.
            taken_for = np.einsum("mc,cd->md", seen.kinds[rows], meanings)
            found = _unit(found + taken_for)
        height, width = pixels.shape[:2]
        area = (asked[:, 2:] - asked[:, :2]).prod(axis=1)
        found[area >= WHOLE * width * height] = seen.picture
        return found

    def raw(self, pictures: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Returns the network's outputs for pictures (n, 3, h, w) in -1..1, by name."""
        return dict(zip(OUTPUTS, self._session.run(list(OUTPUTS), {INPUT: pictures}), strict=True))

    def _look(self, pixels: NDArray[np.uint8]) -> Seen:
        shown, factor = sized(pixels)
        out = {name: value[0] for name, value in self.raw(laid_out(shown)).items()}
        height, width = pixels.shape[:2]
        boxes = out["boxes"] * np.array([*factor, *factor], np.float32)
        boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
        sure, kinds = _sigmoid(out["sure"]), _softmax(out["kinds"])
        solid = ((boxes[:, 2:] - boxes[:, :2]) >= 0.5 * np.array(factor)).all(axis=1)
        rows = np.flatnonzero(solid & (sure >= FAINTEST))
        surest = sure[rows].astype(np.float64)
        kept = rows[non_maximum_suppression(boxes[rows].astype(np.float64), surest, SAME_THING)]
        tags = _sigmoid(out["tags"])
        strange = strangeness(sized(pixels, SCENE_SIDE)[0], sure[kept], kinds[kept])
        return Seen(
            boxes=boxes,
            sure=sure,
            kinds=kinds,
            vectors=_unit(out["vectors"]),
            picture=_unit(out["picture"]),
            tags=tags,
            usable=rows,
            kept=kept,
            strange=self.strangeness.chance(strange),
        )


def sized(pixels: NDArray[np.uint8], side: int = SIDE) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Returns the picture with a longer side of `side`, and the size of its pixels (x, y) in old pixels."""
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return pixels, (1.0, 1.0)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    way = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BILINEAR
    resized = np.asarray(image.resize(size, way))
    return resized, (width / size[0], height / size[1])


def laid_out(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the network's input (1, 3, h, w) in -1..1, filled up with its last row and column."""
    down, right = (-side % MULTIPLE for side in pixels.shape[:2])
    filled = np.pad(pixels, ((0, down), (0, right), (0, 0)), mode="edge")
    return np.ascontiguousarray(filled.transpose(2, 0, 1)[None], dtype=np.float32) / 127.5 - 1


def facts(kinds: Sequence[Kind], limits: Limits, strange: Strangeness) -> str:
    """Returns what the file says of itself beside its weights, as JSON."""
    return json.dumps(
        {
            "kinds": [list(kind) for kind in kinds],
            "limits": limits._asdict(),
            "strangeness": strange.as_json(),
        }
    )


def _shape(pixels: NDArray[np.uint8]) -> bytes:
    return "x".join(str(side) for side in pixels.shape).encode()[:16]


def _sigmoid(odds: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), np.float32)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return found


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-6), np.float32)


def _unusable(path: Path, why: str) -> InputFault:
    return InputFault(
        "tools.pocket.eye",
        f"{path.name} is not an eye of this version: {why}.",
        "Train it again with: deixis train pocket --part eye",
    )


@cache
def eye(path: Path | None = None) -> Eye:
    """Returns the eye of the file, of the package if None is named; loaded once.

    Raises:
        InputFault: the file is not there, is no eye of this version, or is not the one of the package's
            card.
    """
    return Eye(shipped(EYE) if path is None else path)
