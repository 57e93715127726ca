"""Tagging by two small networks: a multi-label one for everyday things, and ImageNet's thousand.

The multi-label tagger (630 names, sigmoid) suits a picture with one subject or a crop; the ImageNet
tagger (soft-max) names the one thing that a picture is about, finely ('tabby'). Their tags are joined;
of the same name the surer stays. Fine names carry everyday kinds ('tabby' → cat).
"""

from __future__ import annotations

import tomllib
import zipfile
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.errors import ToolFault
from deixis.geometry import Frozen
from deixis.media.refs import Digest, MediaSource
from deixis.tools.litert import interpreter
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.tagging.protocol import Tag, TagRequest, TagResult
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.geometry import Box

EVERYDAY = "tag/object_labeler.tflite"
IMAGENET = "tag/tf2_mobilenet_v2_1.0_224_ptq.tflite"
IMAGENET_NAMES = "labels/imagenet_labels.txt"
SIDE = 224
CENTRE = 0.875
"""Share of the shorter side that ImageNet networks look at in evaluation (He et al. 2016)."""
THRESHOLDS = {"everyday": 0.7, "imagenet": 0.3}
"""Defaults per network. Of the tags above them on the 100 photos of coco_train_tune, crowded scenes that
neither network was made for, most name something that is there; below, most do not."""
MAX_SIDE = 640


class LightTagger(LocalTool[TagRequest, TagResult]):
    """The tagger of the profile light."""

    name = "tagging/light"
    version = "1"
    role: ClassVar[Role] = "tagging"
    Input: ClassVar[type[Frozen]] = TagRequest
    Output: ClassVar[type[Frozen]] = TagResult

    def __init__(
        self, thresholds: dict[str, float] | None = None, per_tag: dict[str, float] | None = None
    ) -> None:
        self._thresholds = {**THRESHOLDS, **(thresholds or {})}
        self._per_tag = {label.casefold(): value for label, value in (per_tag or {}).items()}
        self._everyday = interpreter(EVERYDAY)
        self._imagenet = interpreter(IMAGENET)
        self._everyday_names = everyday_names()
        self._imagenet_names = imagenet_names()

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the ImageNet tagger; the other network's is in the manifest."""
        return locate(IMAGENET).digest

    def run(self, request: TagRequest, media: MediaSource) -> TagResult:
        """Returns the tags of the whole picture, and of each box that was asked for."""
        pixels = media.pixels(request.image, max_side=MAX_SIDE)
        scale = pixels.shape[1] / request.image.size.width
        regions = tuple(self._tags(_crop(pixels, box.scale(scale, scale)), request) for box in request.boxes)
        return TagResult(tags=self._tags(pixels, request), regions=regions)

    def _tags(self, pixels: NDArray[np.uint8], request: TagRequest) -> tuple[Tag, ...]:
        everyday = self._scores(self._everyday, _square(pixels, whole=True))
        imagenet = self._scores(self._imagenet, _square(pixels, whole=False))
        found: dict[str, Tag] = {}
        for source, scores, names in (
            ("everyday", everyday, self._everyday_names),
            ("imagenet", imagenet, self._imagenet_names),
        ):
            for row in np.flatnonzero(scores > 0.01):
                tag = self._tag(source, names[row], float(scores[row]), int(row), request)
                if tag and (tag.label not in found or found[tag.label].score.value < tag.score.value):
                    found[tag.label] = tag
        ordered = sorted(found.values(), key=lambda tag: -tag.score.value)
        return tuple(ordered[: request.top])

    def _tag(self, source: str, label: str, score: float, row: int, request: TagRequest) -> Tag | None:
        if not label or (source == "imagenet" and row == 0):
            return None
        least = request.threshold
        if least is None:
            least = self._per_tag.get(label, self._thresholds[source])
        if score < least:
            return None
        kinds = kinds_of(label, row - 1 if source == "imagenet" else None)
        return Tag(label=label, score=Score(value=score, kind="tagger"), source=source, kinds=kinds)

    @staticmethod
    def _scores(network: object, square: NDArray[np.uint8]) -> NDArray[np.float32]:
        raw = network.run({0: square[None]})[0]  # type: ignore[attr-defined]
        scores: NDArray[np.float32] = network.dequantised(0, raw)[0]  # type: ignore[attr-defined]
        return scores


def _crop(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    x1, y1 = min(int(box.x1), width - 1), min(int(box.y1), height - 1)
    x2, y2 = max(x1 + 1, round(box.x2)), max(y1 + 1, round(box.y2))
    return pixels[max(0, y1) : y2, max(0, x1) : x2]


def _square(pixels: NDArray[np.uint8], whole: bool) -> NDArray[np.uint8]:
    """Returns (224, 224, 3) uint8: the whole picture squeezed, or its centre as ImageNet networks see it."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    if not whole:
        side = max(1, round(CENTRE * min(image.size)))
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


@cache
def everyday_names() -> tuple[str, ...]:
    """Returns the names of the multi-label tagger, lower case, in the order of its outputs."""
    try:
        with zipfile.ZipFile(locate(EVERYDAY).path) as archive:
            text = archive.read("probability-labels-en.txt").decode("utf-8")
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise ToolFault(
            "tool.weights.unloadable",
            f"{EVERYDAY} holds no names: {error}",
            "Check it with: deixis models verify light",
        ) from error
    return tuple(line.strip().casefold() for line in text.splitlines())


@cache
def imagenet_names() -> tuple[str, ...]:
    """Returns the first name of each ImageNet class, lower case; row 0 is the background."""
    lines = locate(IMAGENET_NAMES).path.read_text("utf-8").splitlines()
    return tuple(line.partition(",")[0].strip().casefold() for line in lines)


@cache
def _kinds() -> tuple[list[tuple[int, int, tuple[str, ...]]], dict[str, tuple[str, ...]]]:
    raw = tomllib.loads(files("deixis.tools.tagging").joinpath("kinds.toml").read_text("utf-8"))

    def parts(text: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in text.split(","))

    ranges = [(first, last, parts(text)) for first, last, text in raw["ranges"]["rows"]]
    return ranges, {name: parts(text) for name, text in raw["names"].items()}


def kinds_of(label: str, imagenet_row: int | None = None) -> tuple[str, ...]:
    """Returns the everyday kinds of a tag, the nearest first; without the tag itself."""
    ranges, names = _kinds()
    found = list(names.get(label, ()))
    for first, last, kinds in ranges if imagenet_row is not None else ():
        if first <= imagenet_row <= last:  # type: ignore[operator]
            found += kinds
    return tuple(kind for kind in dict.fromkeys(found) if kind != label)


def light(thresholds: dict[str, float] | None = None, per_tag: dict[str, float] | None = None) -> LightTagger:
    """Returns the tagger of the profile light; thresholds per network, and per tag."""
    return LightTagger(thresholds, per_tag)
