"""Tagging by two small networks: a multi-label one for everyday things, and ImageNet's thousand.

The multi-label tagger (630 names, sigmoid) suits a picture with one subject or a crop; the ImageNet
tagger (soft-max) names the one thing that a picture is about, finely ('tabby'). Their tags are joined;
of the same name the surer stays. Fine names carry everyday kinds ('tabby' → cat), and a kind whose
classes are likely together, none of them alone, is a tag of its own: the dog that may be a husky, a
malamute or an Eskimo dog.
"""

from __future__ import annotations

import zipfile
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deixis.answer import Score
from deixis.errors import ToolFault
from deixis.geometry import Frozen
from deixis.media.refs import Digest, MediaSource
from deixis.tools.litert import interpreter
from deixis.tools.protocol import LocalTool, Role
from deixis.tools.tagging.kinds import kinds_of, rows_by_kind
from deixis.tools.tagging.protocol import Tag, TagRequest, TagResult
from deixis.tools.weights import locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from deixis.geometry import Box

EVERYDAY = "tag/object_labeler.tflite"
IMAGENET = "tag/tf2_mobilenet_v2_1.0_224_ptq.tflite"
IMAGENET_NAMES = "labels/imagenet_labels.txt"
SIDE = 224
CENTRE = 0.875
"""Share of the shorter side that ImageNet networks look at in evaluation (He et al. 2016)."""
THRESHOLDS = {"everyday": 0.7, "imagenet": 0.3, "kind": 0.5}
"""Defaults for single names of each network and for kinds, by the tags that are COCO names on the 100
photos of coco_train_tune, crowded scenes that neither network was made for: above them about four of
five name something that is there, below them about half."""
LEAST, SUREST = 0.01, 0.999
"""No tag is certain: a threshold of 1 leaves none."""
MAX_SIDE = 640


class LightTagger(LocalTool[TagRequest, TagResult]):
    """The tagger of the profile light."""

    name = "tagging/light"
    version = "2"
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
        self._names = {"everyday": everyday_names(), "imagenet": imagenet_names()}

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the ImageNet tagger; the other network's is in the manifest."""
        return locate(IMAGENET).digest

    def run(self, request: TagRequest, media: MediaSource) -> TagResult:
        """Returns the tags of the whole picture, and of each box; none for a box that holds nothing of it."""
        pixels = media.pixels(request.image, max_side=MAX_SIDE)
        across, down = pixels.shape[1] / request.image.size.width, pixels.shape[0] / request.image.size.height
        regions = []
        for box in request.boxes:
            inside = box.clip(request.image.size)
            part = _crop(pixels, inside.scale(across, down)) if inside.area > 0 else None
            regions.append(() if part is None else self._tags(part, request))
        return TagResult(tags=self._tags(pixels, request), regions=tuple(regions))

    def _tags(self, pixels: NDArray[np.uint8], request: TagRequest) -> tuple[Tag, ...]:
        everyday = _scores(self._everyday, _square(pixels, whole=True))
        imagenet = _scores(self._imagenet, _square(pixels, whole=False))[1:]
        found: dict[str, Tag] = {}
        for tag in (
            *self._single("everyday", everyday, request),
            *self._single("imagenet", imagenet, request),
        ):
            if tag.label not in found or found[tag.label].score.value < tag.score.value:
                found[tag.label] = tag
        for tag in self._kinds(imagenet, found, request):
            found[tag.label] = tag
        ordered = sorted(found.values(), key=lambda tag: -tag.score.value)
        return tuple(ordered[: request.top])

    def _single(self, source: str, scores: NDArray[np.float32], request: TagRequest) -> Iterator[Tag]:
        """Yields the classes of one network that are over their thresholds."""
        names = self._names[source]
        for row in np.flatnonzero(scores[: len(names)] >= LEAST):
            label = names[row]
            if label and scores[row] >= self._least(label, source, request):
                kinds = kinds_of(label, int(row) if source == "imagenet" else None)
                yield _tag(label, float(scores[row]), source, kinds)

    def _kinds(
        self, scores: NDArray[np.float32], found: dict[str, Tag], request: TagRequest
    ) -> Iterator[Tag]:
        """Yields the kinds whose classes are over the threshold only together."""
        said = {name for tag in found.values() for name in (tag.label, *tag.kinds)}
        for kind, rows in rows_by_kind(self._names["imagenet"]).items():
            total = min(SUREST, float(scores[list(rows)].sum()))
            if kind not in said and total >= max(LEAST, self._least(kind, "kind", request)):
                yield _tag(kind, total, "imagenet", kinds_of(kind))

    def _least(self, label: str, source: str, request: TagRequest) -> float:
        if request.threshold is not None:
            return request.threshold
        return self._per_tag.get(label, self._thresholds[source])


def _tag(label: str, score: float, source: str, kinds: tuple[str, ...]) -> Tag:
    return Tag(label=label, score=Score(value=score, kind="tagger"), source=source, kinds=kinds)


def _scores(network: object, square: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the probabilities, shape (names,); 255/256 is the most that an 8-bit output can say."""
    raw = network.run({0: square[None]})[0]  # type: ignore[attr-defined]
    scores: NDArray[np.float32] = network.dequantised(0, raw)[0]  # type: ignore[attr-defined]
    return scores


def _crop(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Returns the part inside the box, at least one pixel."""
    height, width = pixels.shape[:2]
    x1, y1 = (int(np.clip(low, 0, most - 1)) for low, most in ((box.x1, width), (box.y1, height)))
    x2, y2 = max(x1 + 1, round(box.x2)), max(y1 + 1, round(box.y2))
    return pixels[y1:y2, x1:x2]


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
    """Returns the names of the multi-label tagger, lower case, in the order of its outputs.

    Raises:
        ToolFault: the file holds none.
    """
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
    """Returns the first name of each of the thousand ImageNet classes, lower case; 0 is tench."""
    lines = locate(IMAGENET_NAMES).path.read_text("utf-8").splitlines()
    return tuple(line.partition(",")[0].strip().casefold() for line in lines[1:])


def light(thresholds: dict[str, float] | None = None, per_tag: dict[str, float] | None = None) -> LightTagger:
    """Returns the tagger of the profile light; thresholds per network, and per tag."""
    return LightTagger(thresholds, per_tag)
