"""A space of pictures, sounds and texts as a tool: what the embedders of the profile full have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from deixis.geometry import Frozen, TimeSpan
from deixis.media.refs import Digest, MediaSource
from deixis.tools.embedding.pictures import region_pixels
from deixis.tools.embedding.protocol import AudioPart, EmbedRequest, EmbedResult
from deixis.tools.hearing.level import SILENCE_DBFS, loudest_dbfs
from deixis.tools.protocol import LocalTool, Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

Vector = tuple[float, ...] | None
ROWS = {"cpu": 1}
"""Items in one pass by kind of device: a second one costs a CPU as much as the first."""
OTHER_ROWS = 8


class Space(Protocol):
    """A loaded network. Its vectors need not be of unit length; it is called by one thread at a time."""

    dimension: int
    rate_hz: int
    rows: int

    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns (texts, dimension)."""
        ...

    def see(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Returns (pictures, dimension) of RGB pictures (h, w, 3)."""
        ...

    def hear(self, sounds: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Returns (sounds, dimension) of mono sounds (n,) at `rate_hz`."""
        ...


@dataclass(frozen=True)
class Clips:
    """How a long sound is listened to: at most `count` windows of `seconds`, equally spaced."""

    count: int = 7
    seconds: float = 2.0

    def spans(self, duration_s: float) -> tuple[TimeSpan, ...]:
        """Returns the windows of a sound; one where it is not longer than a window."""
        last = duration_s - self.seconds
        if last <= 0 or self.count == 1:
            return (TimeSpan(start_s=0, end_s=min(duration_s, self.seconds) if last > 0 else duration_s),)
        step = last / (self.count - 1)
        starts = (row * step for row in range(self.count))
        return tuple(TimeSpan(start_s=start, end_s=start + self.seconds) for start in starts)


class JointEmbedder(LocalTool[EmbedRequest, EmbedResult]):
    """An embedder over a space, loaded at its first request."""

    version = "1"
    role: ClassVar[Role] = "embedding"
    Input: ClassVar[type[Frozen]] = EmbedRequest
    Output: ClassVar[type[Frozen]] = EmbedResult

    def __init__(
        self, name: str, load: Callable[[], Space], digest: Callable[[], Digest], clips: Clips | None = None
    ) -> None:
        self.name = name
        self._load, self._digest = load, digest
        self._clips = clips or Clips()
        self._space: Space | None = None
        self._lock = threading.RLock()

    @property
    def space(self) -> Space:
        """Returns the network, loaded now if it was not yet.

        Raises:
            InputFault, ToolFault: it cannot be loaded.
        """
        with self._lock:
            if self._space is None:
                self._space = self._load()
            return self._space

    @property
    def weights_digest(self) -> Digest:
        """Returns the digest of the weights."""
        return self._digest()

    def run(self, request: EmbedRequest, media: MediaSource) -> EmbedResult:
        """Returns unit vectors; None for an empty text, an empty region, and silence."""
        space = self.space
        texts = [text.strip() or None for text in request.texts]
        pictures = [region_pixels(region, media) for region in request.images]
        heard = [self._heard(part, media) for part in request.audios]
        sounds = [one for clips in heard for _, one in clips]
        with self._lock:
            vectors = iter(_batched(space.hear, sounds, space.rows))
            return EmbedResult(
                dimension=space.dimension,
                texts=tuple(_each(space.read, texts, space.rows)),
                images=tuple(_each(space.see, pictures, space.rows)),
                audios=tuple(_mean([next(vectors) for _ in clips]) for clips in heard),
            )

    def clips(self, part: AudioPart, media: MediaSource) -> tuple[tuple[TimeSpan, tuple[float, ...]], ...]:
        """Returns the windows of a sound, in its seconds, with a vector each; silent ones are left out."""
        space, heard = self.space, self._heard(part, media)
        with self._lock:
            vectors = _batched(space.hear, [one for _, one in heard], space.rows)
        pairs = [(span, _mean([vector])) for (span, _), vector in zip(heard, vectors, strict=True)]
        return tuple((span, vector) for span, vector in pairs if vector is not None)

    def _heard(self, part: AudioPart, media: MediaSource) -> list[tuple[TimeSpan, NDArray[np.float32]]]:
        """Returns the windows that are not silent, with their samples."""
        rate = self.space.rate_hz
        samples = media.samples(part.audio, rate)
        offset = 0.0 if part.span is None else part.span.start_s
        if part.span is not None:
            samples = samples[round(part.span.start_s * rate) : round(part.span.end_s * rate)]
        found = []
        for span in self._clips.spans(len(samples) / rate) if len(samples) else ():
            window = samples[round(span.start_s * rate) : round(span.end_s * rate)]
            if loudest_dbfs(window, rate) >= SILENCE_DBFS:
                placed = TimeSpan(start_s=span.start_s + offset, end_s=span.end_s + offset)
                found.append((placed, window))
        return found


def rows_of(device: str) -> int:
    """Returns how many items go through in one pass, by the type of the device."""
    return ROWS.get(device, OTHER_ROWS)


def _batched(
    run: Callable[[Any], NDArray[np.float32]], items: Sequence[Any], rows: int
) -> list[NDArray[np.float32]]:
    return [row for at in range(0, len(items), rows) for row in run(items[at : at + rows])]


def _each(run: Callable[[Any], NDArray[np.float32]], items: Sequence[Any], rows: int) -> list[Vector]:
    """Returns the unit vector of each item; None where there is none."""
    found = iter(_batched(run, [one for one in items if one is not None], rows))
    return [None if one is None else _mean([next(found)]) for one in items]


def _mean(rows: Sequence[NDArray[np.float32]]) -> Vector:
    """Returns the direction of the sum of the rows' directions; None for none."""
    units = [row / length for row in rows if (length := float(np.linalg.norm(row))) > 1e-6]
    total: NDArray[np.float64] = np.sum(units, axis=0, dtype=np.float64) if units else np.zeros(1)
    length = float(np.linalg.norm(total))
    return tuple((total / length).tolist()) if length > 1e-6 else None
