"""The store: takes media in, hands out pixels and samples, keeps the runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from deixis.errors import InputFault
from deixis.media import films, images, sounds
from deixis.media.containers import may_be_film
from deixis.media.limits import DEFAULT, Limits
from deixis.media.refs import AudioRef, Digest, ImageRef, MediaRef, VideoRef
from deixis.store.blobs import Blobs
from deixis.store.cache import ArrayCache
from deixis.store.conversations import ConversationLog
from deixis.store.intake import Taken, is_picture, is_sound, taken
from deixis.store.runs import RunLog

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CACHE_BYTES = 256_000_000
CHECKED_SAMPLES = 10_000_000
"""Sounds with more samples than this are decoded for the first time when a tool asks for them."""


def default_root() -> Path:
    """Returns the folder of the store: DEIXIS_HOME, or the user's data folder."""
    if named := os.environ.get("DEIXIS_HOME"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("deixis"))


class Store:
    """Media and runs in one folder. Safe for several threads and processes.

    Args:
        root: the folder; None takes `default_root()`. It is made when something is first stored.
        allow_network: lets media be given as http(s) addresses.
        limits: how much is taken in.
    """

    def __init__(
        self, root: Path | None = None, *, allow_network: bool = False, limits: Limits = DEFAULT
    ) -> None:
        self.root = Path(root) if root is not None else default_root()
        self.blobs = Blobs(self.root / "media")
        self.runs = RunLog(self.root / "runs")
        self.conversations = ConversationLog(self.root / "conversations")
        self.limits = limits
        self._allow_network = allow_network
        self._cache = ArrayCache(CACHE_BYTES)

    # Taking media in: looked at first, and only kept where it can be used.

    def add_image(self, source: Any) -> ImageRef:
        """Returns the reference of a picture: a path, an address, bytes, a PIL picture, or an array.

        Raises:
            InputFault: it is not a picture that can be used.
        """
        with self._taken(source) as medium:
            return self._image(medium)

    def add_audio(self, source: Any) -> AudioRef:
        """Returns the reference of a sound: a path, an address, bytes, or (samples, rate).

        Raises:
            InputFault: it is not a sound that can be used.
            MissingExtra: it takes PyAV, which is not installed.
        """
        with self._taken(source) as medium:
            return self._audio(medium)

    def add_video(self, source: Any) -> VideoRef:
        """Returns the reference of a film: a path, an address, or bytes.

        Raises:
            InputFault: it is not a film that can be used.
            MissingExtra: PyAV is not installed.
        """
        with self._taken(source) as medium:
            return self._video(medium)

    def add(self, source: Any) -> MediaRef:
        """Returns the reference of any medium, told by its content and not by its suffix.

        Raises:
            InputFault: it is none of picture, sound and film.
        """
        with self._taken(source) as medium:
            if is_sound(source):
                return self._audio(medium)
            try:
                return self._image(medium)
            except InputFault as error:
                if error.code != "input.image.unknown" or is_picture(source):
                    raise
            if may_be_film(medium.raw) and films.has_pictures(medium.raw, medium.name):
                return self._video(medium)
            try:
                return self._audio(medium)
            except InputFault as error:
                if error.code != "input.audio.unknown":
                    raise
            raise InputFault(
                "input.media.unknown",
                f"{medium.name or 'What was given'} is neither picture, sound nor film in a known format.",
                "Give a JPEG, PNG, WAV, FLAC, OGG, MP3 or MP4 file; the suffix does not matter.",
                name=medium.name,
            )

    def _taken(self, source: Any) -> AbstractContextManager[Taken]:
        return taken(source, self.blobs, self.limits, allow_network=self._allow_network)

    def _image(self, medium: Taken) -> ImageRef:
        picture = images.read(medium.raw, medium.name, self.limits)
        digest = medium.keep()
        self._cache.get(("pixels", digest), lambda: picture.pixels)  # decoded anyway: not a second time
        return ImageRef(digest=digest, size=picture.size, format=picture.format, name=medium.name)

    def _audio(self, medium: Taken) -> AudioRef:
        facts = sounds.sound_facts(medium.raw, medium.name, self.limits)
        if facts.frames * facts.channels <= CHECKED_SAMPLES:
            sounds.check(medium.raw, medium.name, self.limits)
        return AudioRef(
            digest=medium.keep(),
            rate_hz=facts.rate_hz,
            channels=facts.channels,
            duration_s=facts.duration_s,
            format=facts.format,
            name=medium.name,
        )

    def _video(self, medium: Taken) -> VideoRef:
        facts = films.film_facts(medium.raw, medium.name, self.limits)
        return VideoRef(
            digest=medium.keep(),
            size=facts.size,
            duration_s=facts.duration_s,
            frames_per_s=facts.frames_per_s,
            has_sound=facts.has_sound,
            format=facts.format,
            name=medium.name,
        )

    # Handing out what tools work on.

    def pixels(self, image: ImageRef, max_side: int | None = None) -> NDArray[np.uint8]:
        """Returns the upright RGB picture, shape (h, w, 3), uint8, read-only; see `MediaSource`.

        Raises:
            InputFault: the store has no such picture.
        """
        path = self.path(image.digest)
        whole = self._cache.get(
            ("pixels", image.digest), lambda: images.read(path, image.name, self.limits).pixels
        )
        if max_side is None or max_side >= max(whole.shape[:2]):
            return whole
        side = max(1, int(max_side))
        return self._cache.get(("pixels", image.digest, side), lambda: images.shrink(whole, side))

    def samples(self, audio: AudioRef, rate_hz: int) -> NDArray[np.float32]:
        """Returns the mono sound at `rate_hz`, shape (n,), float32 in -1..1, read-only.

        Raises:
            InputFault: the store has no such sound, or it is damaged.
        """
        path = self.path(audio.digest)
        return self._cache.get(
            ("samples", audio.digest, rate_hz),
            lambda: sounds.decode_mono(path, rate_hz, audio.name, self.limits),
        )

    def frames(self, video: VideoRef, times_s: Sequence[float]) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Yields (time in seconds, RGB pixels) of a film at the given times; see `films.frames`."""
        return films.frames(self.path(video.digest), times_s, video.name)

    def sound_track(self, video: VideoRef) -> AudioRef:
        """Returns the film's sound track, decoded once and kept as a FLAC file with a digest of its own.

        Raises:
            InputFault: the film has none, or it is damaged.
            MissingExtra: PyAV is not installed.
        """
        path = self.path(video.digest)
        with self.blobs.scratch() as track:
            facts = films.sound_track_facts(path, video.name)
            sounds.write_flac(track, facts, films.sound_track(path, video.name))
            return self.add_audio(track).model_copy(update={"name": video.name})

    # The bytes themselves.

    def has(self, digest: Digest) -> bool:
        """Returns whether the store holds a medium with this digest."""
        return self.blobs.has(digest)

    def path(self, digest: Digest) -> Path:
        """Returns the file with the original bytes of a medium; it is not to be written.

        Raises:
            InputFault: the store has nothing under this digest.
        """
        return self.blobs.found(digest)

    def open(self, digest: Digest) -> IO[bytes]:
        """Returns the original bytes of a medium as a file open for reading.

        Raises:
            InputFault: the store has nothing under this digest.
        """
        return self.path(digest).open("rb")

    def put_bytes(self, data: bytes) -> Digest:
        """Returns the digest under which bytes of any kind are now kept, unlooked at.

        Raises:
            InputFault: the disk is full, or the folder may not be written.
        """
        return self.blobs.put(data)
