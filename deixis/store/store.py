"""The store: takes media in, hands out pixels and samples, keeps the runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault
from deixis.media import films, images, sounds
from deixis.media.fetch import fetch, is_address
from deixis.media.limits import DEFAULT, Limits
from deixis.media.refs import AudioRef, Digest, ImageRef, MediaRef, VideoRef
from deixis.store.blobs import Blobs
from deixis.store.cache import ArrayCache
from deixis.store.runs import RunLog

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CACHE_BYTES = 256_000_000


def default_root() -> Path:
    """Returns the folder of the store: DEIXIS_HOME, or the user's data folder."""
    if named := os.environ.get("DEIXIS_HOME"):
        return Path(named)
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
        self.root = root or default_root()
        self.blobs = Blobs(self.root / "media")
        self.runs = RunLog(self.root / "runs")
        self.limits = limits
        self._allow_network = allow_network
        self._cache = ArrayCache(CACHE_BYTES)

    # Taking media in: the source becomes a path or bytes, is looked at, and only then is stored.

    def add_image(self, source: Any) -> ImageRef:
        """Returns the reference of a picture: a path, an address, bytes, a PIL picture, or an array.

        Raises:
            InputFault: it is not a picture that can be used.
        """
        if _is_pil(source):
            import numpy as np

            source = np.asarray(source.convert("RGBA" if "A" in source.getbands() else "RGB"))
        if hasattr(source, "__array_interface__"):
            source = images.encode_png(source)
        raw, name = self._raw(source)
        size, kind = images.image_facts(raw, name, self.limits)
        return ImageRef(digest=self._keep(raw), size=size, format=kind, name=name)

    def add_audio(self, source: Any) -> AudioRef:
        """Returns the reference of a sound: a path, an address, bytes, or (samples, rate).

        Raises:
            InputFault: it is not a sound that can be used.
            MissingExtra: it takes PyAV, which is not installed.
        """
        if isinstance(source, tuple):
            source = sounds.encode_wav(*source)
        raw, name = self._raw(source)
        facts = sounds.sound_facts(raw, name, self.limits)
        if facts.frames * facts.channels <= 10_000_000:
            sounds.decode_mono(raw, facts.rate_hz, name, self.limits)  # a damaged file is refused here
        return AudioRef(
            digest=self._keep(raw),
            rate_hz=facts.rate_hz,
            channels=facts.channels,
            duration_s=facts.duration_s,
            format=facts.format,
            name=name,
        )

    def add_video(self, source: Any) -> VideoRef:
        """Returns the reference of a film: a path, an address, or bytes.

        Raises:
            InputFault: it is not a film that can be used.
            MissingExtra: PyAV is not installed.
        """
        raw, name = self._raw(source)
        size, seconds, rate, sound, kind = films.film_facts(raw, name, self.limits)
        return VideoRef(
            digest=self._keep(raw),
            size=size,
            duration_s=seconds,
            frames_per_s=rate,
            has_sound=sound,
            format=kind,
            name=name,
        )

    def add(self, source: Any) -> MediaRef:
        """Returns the reference of any medium, told by its content and not by its suffix.

        Raises:
            InputFault: it is none of picture, sound and film.
        """
        if isinstance(source, tuple):
            return self.add_audio(source)
        if _is_pil(source) or hasattr(source, "__array_interface__"):
            return self.add_image(source)
        raw, name = self._raw(source)
        source = raw if isinstance(raw, bytes) else source
        try:
            return self.add_image(source)
        except InputFault as error:
            if error.code != "input.image.unknown":
                raise
        try:
            if sounds.is_container(raw) and films.has_pictures(raw, name):
                return self.add_video(source)
            return self.add_audio(source)
        except InputFault as error:
            if error.code not in ("input.audio.unknown", "input.video.broken"):
                raise
        raise InputFault(
            "input.media.unknown",
            f"{name or 'What was given'} is neither picture, sound nor film in a known format.",
            "Give a JPEG, PNG, WAV, FLAC, OGG, MP3 or MP4 file; the suffix does not matter.",
        )

    def _raw(self, source: Any) -> tuple[Path | bytes, str]:
        """Returns the source as an existing, non-empty file or bytes, and its name."""
        raw: Path | bytes
        if isinstance(source, bytes | bytearray | memoryview):
            data = bytes(source)
            raw, name = data, ""
            size = len(data)
        elif isinstance(source, str) and is_address(source):
            if not self._allow_network:
                raise InputFault(
                    "input.url.not_allowed",
                    f"{source} is an address, and the network is not used unless asked.",
                    "Allow it with --allow-network (allow_network=True), or give a file.",
                )
            data = fetch(source, self.limits)
            raw, size, name = data, len(data), source.rpartition("/")[2][:80]
        elif isinstance(source, str | os.PathLike):
            raw = Path(source)
            size, name = _file_size(raw), raw.name
        else:
            raise InputFault(
                "input.media.type",
                f"A {type(source).__name__} is not a medium.",
                "Give a path, bytes, a picture, or (samples, rate).",
            )
        if size == 0:
            raise InputFault(
                "input.media.empty", f"{name or 'What was given'} is empty.", "Give another file."
            )
        if size > self.limits.max_file_bytes:
            raise InputFault(
                "input.media.too_big_file",
                f"{name} has {size / 1e6:.0f} MB; the limit is {self.limits.max_file_bytes / 1e6:.0f} MB.",
                "Cut it or scale it down.",
            )
        return raw, name

    def _keep(self, raw: Path | bytes) -> Digest:
        return self.blobs.put(raw) if isinstance(raw, bytes) else self.blobs.put_file(raw)

    # Handing out what tools work on.

    def pixels(self, image: ImageRef, max_side: int | None = None) -> NDArray[np.uint8]:
        """Returns the upright RGB picture, shape (h, w, 3), uint8, read-only; see `MediaSource`.

        Raises:
            InputFault: the store has no such picture.
        """
        side = min(max_side or self.limits.max_work_side, self.limits.max_work_side)
        side = min(side, max(image.size.width, image.size.height))
        path = self._path(image.digest)
        return self._cache.get(
            ("pixels", image.digest, side), lambda: images.decode(path, image.name, side, self.limits)
        )

    def samples(self, audio: AudioRef, rate_hz: int) -> NDArray[np.float32]:
        """Returns the mono sound at `rate_hz`, shape (n,), float32 in -1..1, read-only.

        Raises:
            InputFault: the store has no such sound, or it is damaged.
        """
        path = self._path(audio.digest)
        return self._cache.get(
            ("samples", audio.digest, rate_hz),
            lambda: sounds.decode_mono(path, rate_hz, audio.name, self.limits),
        )

    def frames(self, video: VideoRef, times_s: Sequence[float]) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Yields (time in seconds, RGB pixels) of a film at the given times; see `films.frames`."""
        return films.frames(self._path(video.digest), times_s, video.name)

    def sound_track(self, video: VideoRef) -> AudioRef:
        """Returns the film's sound track as a sound of the store; its digest is the film's.

        Raises:
            InputFault: the film has none.
        """
        return self.add_audio(self._path(video.digest)).model_copy(update={"name": video.name})

    def path(self, digest: Digest) -> Path:
        """Returns the file with the original bytes of a medium.

        Raises:
            InputFault: the store has nothing under this digest.
        """
        return self._path(digest)

    def _path(self, digest: Digest) -> Path:
        path = self.blobs.path(digest)
        if not path.is_file():
            raise InputFault(
                "store.digest.missing", f"The store has nothing under {digest}.", "Give the medium again."
            )
        return path


def _is_pil(source: Any) -> bool:
    return hasattr(source, "getbands") and hasattr(source, "convert")


def _file_size(path: Path) -> int:
    """Returns the size of a readable file in bytes.

    Raises:
        InputFault: it is missing, a folder, or may not be read.
    """
    try:
        if path.is_dir():
            raise InputFault("input.media.folder", f"{path} is a folder.", "Give a file.")
        if not path.is_file():
            raise InputFault("input.media.missing", f"There is no file {path}.", "Check the path.")
        with path.open("rb"):
            return path.stat().st_size
    except (OSError, ValueError) as error:
        raise InputFault(
            "input.media.unreadable", f"{path} cannot be read ({error}).", "Check its permissions."
        ) from error
