"""Where a sample's media come from: drawn again from a seed, or read from a folder."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote

from deixis.errors import InputFault
from deixis.learned.scout.sample import SampleMedium
from deixis.media.refs import AudioRef, Digest, ImageRef

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from deixis.learned.world.pairs import PairSpec
    from deixis.learned.world.scenes import SceneSpec
    from deixis.learned.world.sounds import ClipSpec

RATE_HZ = 16_000
KEPT = 8
"""Media that are kept decoded: the questions of one picture come one after the other."""


def world_source(kind: str, seed: int, spec: SceneSpec | ClipSpec | PairSpec) -> str:
    """Returns the source of a scene, clip or pair: the seed, and the settings that are not the default."""
    changed = "&".join(
        f"{name}={quote(value, safe=',.')}" for name, value in _changed(spec, type(spec)(), "")
    )
    return f"world/{kind}:{seed}" + (f"?{changed}" if changed else "")


def world_seed(source: str) -> int | None:
    """Returns the seed of a world's source; None for any other source."""
    if not source.startswith("world/"):
        return None
    number = source.partition(":")[2].partition("?")[0]
    return int(number) if number.isdigit() else None


def _changed(spec: Any, default: Any, prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for one in fields(spec):
        value, usual = getattr(spec, one.name), getattr(default, one.name)
        if is_dataclass(value):
            rows += _changed(value, usual, f"{prefix}{one.name}.")
        elif value != usual:
            text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            rows.append((prefix + one.name, text))
    return rows


def _with(spec: Any, name: str, text: str) -> Any:
    first, _, rest = name.partition(".")
    if rest:
        return replace(spec, **{first: _with(getattr(spec, first), rest, text)})
    kind = next((str(one.type) for one in fields(spec) if one.name == first), "")
    if kind.startswith("tuple"):
        read: Any = int if "int" in kind else float if "float" in kind else str
        return replace(spec, **{first: tuple(read(part) for part in text.split(",") if part)})
    return replace(spec, **{first: {"int": int, "float": float, "str": str}[kind](text)})


def drawn(source: str) -> Any:
    """Returns the `Scene`, `Clip` or `WorldPair` of a world's source.

    Raises:
        InputFault: it is no such source.
    """
    from deixis.learned.world.pairs import PairSpec, pair
    from deixis.learned.world.scenes import SceneSpec, scene
    from deixis.learned.world.sounds import ClipSpec, clip

    known: dict[str, tuple[Any, Any]] = {
        "scene": (scene, SceneSpec()),
        "clip": (clip, ClipSpec()),
        "pair": (pair, PairSpec()),
    }
    kind, _, rest = source.removeprefix("world/").partition(":")
    number, _, settings = rest.partition("?")
    try:
        draw, spec = known[kind]
        for name, text in parse_qsl(settings, strict_parsing=bool(settings)):
            spec = _with(spec, name, unquote(text))
        return draw(int(number), spec)
    except (KeyError, ValueError, TypeError) as error:
        raise InputFault(
            "scout.source.unknown",
            f"The source {source[:120]!r} cannot be drawn.",
            "Sources of the world are world/scene:SEED, world/clip:SEED, world/pair:SEED.",
        ) from error


def picture_digest(pixels: NDArray[np.uint8]) -> Digest:
    """Returns the digest of a drawn picture: over its size and its bytes."""
    height, width = pixels.shape[:2]
    return f"sha256:{hashlib.sha256(f'rgb {width} {height} '.encode() + pixels.tobytes()).hexdigest()}"


def sound_digest(samples: NDArray[np.float32]) -> Digest:
    """Returns the digest of a made sound: over its rate and its samples."""
    return f"sha256:{hashlib.sha256(f'float32 {RATE_HZ} '.encode() + samples.tobytes()).hexdigest()}"


def drawn_medium(
    source: str, pixels: NDArray[np.uint8] | None, samples: NDArray[np.float32] | None
) -> SampleMedium:
    """Returns the sample's medium of a drawn picture, or of a made sound."""
    if pixels is not None:
        height, width = pixels.shape[:2]
        digest = picture_digest(pixels)
        return SampleMedium(kind="image", digest=digest, source=source, width=width, height=height)
    if samples is None:
        raise ValueError("a medium has pixels or samples")
    seconds = round(len(samples) / RATE_HZ, 4)
    return SampleMedium(
        kind="audio", digest=sound_digest(samples), source=source, seconds=seconds, rate_hz=RATE_HZ
    )


class SampleMedia:
    """A `MediaSource` over the media of samples: draws the world's again, reads the others from `root`."""

    def __init__(self, media: Iterable[SampleMedium] = (), root: Path | None = None) -> None:
        self._media: dict[Digest, SampleMedium] = {}
        self._root = root
        self._kept: OrderedDict[Digest, Any] = OrderedDict()
        for medium in media:
            self.add(medium)

    def add(self, medium: SampleMedium, content: Any = None) -> None:
        """Makes a medium known, with its pixels or samples where they are at hand."""
        self._media[medium.digest] = medium
        if content is not None:
            self._keep(medium.digest, content)

    def pixels(self, image: ImageRef, max_side: int | None = None) -> NDArray[np.uint8]:
        """Returns the upright RGB picture, (h, w, 3) uint8, shrunk to `max_side` where it is larger.

        Raises:
            InputFault: the picture is not known, not there, or is another than when the sample was made.
        """
        import numpy as np

        pixels = self._content(image.digest)
        if max_side is not None and max(pixels.shape[:2]) > max_side:
            from PIL import Image

            shrunk = Image.fromarray(pixels)
            shrunk.thumbnail((max_side, max_side), Image.Resampling.BICUBIC)
            return np.asarray(shrunk)
        return np.asarray(pixels)

    def samples(self, audio: AudioRef, rate_hz: int) -> NDArray[np.float32]:
        """Returns the mono sound at `rate_hz`, (n,) float32.

        Raises:
            InputFault: the sound is not known, not there, or is another than when the sample was made.
        """
        import numpy as np

        samples, rate = self._content(audio.digest)
        if rate != rate_hz:
            import soxr

            samples = soxr.resample(samples, rate, rate_hz)
        return np.asarray(samples, dtype=np.float32)

    def _content(self, digest: Digest) -> Any:
        if digest in self._kept:
            self._kept.move_to_end(digest)
            return self._kept[digest]
        medium = self._media.get(digest)
        if medium is None:
            raise InputFault("scout.media.unknown", f"No sample names the medium {digest}.", "Add it first.")
        content = self._drawn(medium) if medium.source.startswith("world/") else self._read(medium)
        self._keep(digest, content)
        return content

    def _keep(self, digest: Digest, content: Any) -> None:
        self._kept[digest] = content
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _drawn(self, medium: SampleMedium) -> Any:
        made = drawn(medium.source)
        if medium.kind == "image":
            pixels = made.scene.pixels if hasattr(made, "scene") else made.pixels
            _same(medium, picture_digest(pixels))
            return pixels
        samples = made.clip.samples if hasattr(made, "clip") else made.samples
        _same(medium, sound_digest(samples))
        return (samples, RATE_HZ)

    def _read(self, medium: SampleMedium) -> Any:
        path = (self._root or Path()) / medium.source
        if self._root is not None and not path.resolve().is_relative_to(self._root.resolve()):
            raise InputFault(
                "scout.media.outside", f"{medium.source!r} lies outside the data folder.", "Mend the sample."
            )
        if not path.is_file():
            raise InputFault(
                "scout.media.missing",
                f"The medium {medium.source!r} is not there.",
                "Name its folder: --data.",
            )
        raw = path.read_bytes()
        _same(medium, f"sha256:{hashlib.sha256(raw).hexdigest()}")
        if medium.kind == "image":
            from deixis.media import images

            return images.read(raw, path.name).pixels
        from deixis.media import sounds

        rate = medium.rate_hz or RATE_HZ
        return (sounds.decode_mono(raw, rate, path.name), rate)


def read_medium(path: Path, source: str) -> SampleMedium:
    """Returns the sample's medium of a picture or sound file, told by its content.

    Raises:
        InputFault: the file is not there, or is neither.
    """
    from deixis.media import images, sounds

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputFault(
            "scout.media.missing", f"The medium {source!r} cannot be read.", "Name its folder: --data."
        ) from error
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    try:
        size = images.read(raw, path.name).size
        return SampleMedium(kind="image", digest=digest, source=source, width=size.width, height=size.height)
    except InputFault as error:
        if error.code != "input.image.unknown":
            raise
    facts = sounds.sound_facts(raw, path.name)
    seconds = round(facts.duration_s, 4)
    return SampleMedium(kind="audio", digest=digest, source=source, seconds=seconds, rate_hz=facts.rate_hz)


def _same(medium: SampleMedium, digest: Digest) -> None:
    if digest != medium.digest:
        raise InputFault(
            "scout.media.changed",
            f"The medium {medium.source!r} is not what it was when the sample was made.",
            "Make the samples again, or bring the medium back.",
        )
