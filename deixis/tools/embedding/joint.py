"""A space of pictures, sounds and texts as a tool: what the embedders of the profile full have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from deixis.geometry import Frozen, TimeSpan
from deixis.media.refs import Digest, MediaSource
from deixis.tools.embedding.pictures import region_pixels
from deixis.tools.embedding.protocol import AudioPart, EmbedRequest, EmbedResult
from deixis.tools.hearing.level import SILENCE_DBFS, loudest_dbfs
from deixis.tools.loaded import LoadedTool
from deixis.tools.protocol import Role

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


@dataclass(frozen=True)
class _Given:
    """What a request is about, as the space takes it; None where there is nothing."""

    texts: list[str | None]
    pictures: list[NDArray[np.uint8] | None]
    sounds: list[list[NDArray[np.float32]]]


class JointEmbedder(LoadedTool[EmbedRequest, EmbedResult, Space]):
    """An embedder over a space, loaded at its first request."""

    version = "1"
    role: ClassVar[Role] = "embedding"
    Input: ClassVar[type[Frozen]] = EmbedRequest
    Output: ClassVar[type[Frozen]] = EmbedResult

    def __init__(
        self, name: str, load: Callable[[], Space], digest: Callable[[], Digest], clips: Clips | None = None
    ) -> None:
        super().__init__(name, load, digest)
        self._clips = clips or Clips()

    def run_many(self, requests: Sequence[EmbedRequest], media: MediaSource) -> list[EmbedResult | Exception]:
        """Returns unit vectors; None for an empty text, an empty region, and silence.

        The texts, the pictures and the sounds of all requests share passes.
        """
        space = self.network
        given: list[_Given | Exception] = []
        for request in requests:
            try:
                given.append(self._given(request, media))
            except Exception as error:  # handed to whoever asked for this one
                given.append(error)
        good = [one for one in given if not isinstance(one, Exception)]
        with self._lock:
            texts = iter(_each(space.read, [text for one in good for text in one.texts], space.rows))
            pictures = iter(_each(space.see, [part for one in good for part in one.pictures], space.rows))
            sounds = [clip for one in good for clips in one.sounds for clip in clips]
            heard = iter(_batched(space.hear, sounds, space.rows))
        return [
            one
            if isinstance(one, Exception)
            else EmbedResult(
                dimension=space.dimension,
                texts=tuple(next(texts) for _ in one.texts),
                images=tuple(next(pictures) for _ in one.pictures),
                audios=tuple(_mean([next(heard) for _ in clips]) for clips in one.sounds),
            )
            for one in given
        ]

    def _given(self, request: EmbedRequest, media: MediaSource) -> _Given:
        return _Given(
            [text.strip() or None for text in request.texts],
            [region_pixels(region, media) for region in request.images],
            [[window for _, window in self._heard(part, media)] for part in request.audios],
        )

    def clips(self, part: AudioPart, media: MediaSource) -> tuple[tuple[TimeSpan, tuple[float, ...]], ...]:
        """Returns the windows of a sound, in its seconds, with a vector each; silent ones are left out."""
        space, heard = self.network, self._heard(part, media)
        with self._lock:
            vectors = _batched(space.hear, [one for _, one in heard], space.rows)
        pairs = [(span, _mean([vector])) for (span, _), vector in zip(heard, vectors, strict=True)]
        return tuple((span, vector) for span, vector in pairs if vector is not None)

    def _heard(self, part: AudioPart, media: MediaSource) -> list[tuple[TimeSpan, NDArray[np.float32]]]:
        """Returns the windows that are not silent, with their samples."""
        rate = self.network.rate_hz
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
