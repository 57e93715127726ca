"""Films and their sound tracks, through PyAV (the extra `video`)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault, MissingExtra
from deixis.geometry import Size
from deixis.media.containers import demuxer_of
from deixis.media.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.media.sounds import SoundFacts

COVER = 0x400
"""FFmpeg's mark of a stream that is a cover picture (AV_DISPOSITION_ATTACHED_PIC)."""
SEEK_AFTER_S = 10.0
"""A wanted moment further away than this is jumped to: decoding what lies between takes longer."""


@dataclass(frozen=True)
class FilmFacts:
    """What a film file says of itself; `size` is that of the upright frames."""

    size: Size
    duration_s: float
    frames_per_s: float
    has_sound: bool
    format: str


def _broken(name: str, error: object) -> InputFault:
    return InputFault(
        "input.video.broken",
        f"{name or 'What was given'} cannot be read as a film or a sound ({error}).",
        "Export it again, for example as MP4 with H.264 and AAC.",
        name=name,
    )


@contextmanager
def _opened(source: Path | bytes, name: str) -> Iterator[Any]:
    """Yields PyAV's container; what FFmpeg raises inside comes out as `InputFault`."""
    demuxer = demuxer_of(source)
    if demuxer is None:
        raise _broken(name, "no known film format")
    try:
        import av
    except ImportError as error:
        raise MissingExtra("video", "av", "Reading films and M4A sounds") from error
    try:
        with (
            io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream,
            av.open(stream, format=demuxer, metadata_errors="replace") as container,
        ):
            yield container
    except (av.FFmpegError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, InputFault):
            raise
        raise _broken(name, error) from error


def _pictures(container: Any) -> Any | None:
    """Returns the first video stream that is more than a cover picture, or None."""
    return next((one for one in container.streams.video if not int(one.disposition) & COVER), None)


def _seconds(container: Any, stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / 1_000_000


def _times_of_packets(source: Path | bytes, name: str) -> float:
    """Returns the length of a film whose header does not tell it, by its last packet."""
    with _opened(source, name) as container:
        stream = _pictures(container) or container.streams[0]
        start = float((stream.start_time or 0) * stream.time_base)
        ends = (float(packet.pts * packet.time_base) for packet in container.demux(stream) if packet.pts)
        return max(0.0, max(ends, default=0.0) - start)


def film_facts(source: Path | bytes, name: str = "", limits: Limits = DEFAULT) -> FilmFacts:
    """Returns the facts of a film, having decoded its first frame.

    Raises:
        InputFault: it is no film, has no pictures, is damaged, or is above the limits.
        MissingExtra: PyAV is not installed.
    """
    with _opened(source, name) as container:
        stream = _pictures(container)
        if stream is None:
            raise InputFault(
                "input.video.no_pictures",
                f"{name or 'The film'} has no pictures.",
                "Give it as a sound instead.",
                name=name,
            )
        if stream.width * stream.height > limits.max_pixels:
            raise _above(name, f"frames of {stream.width} × {stream.height} pixels")
        frame = next(container.decode(stream), None)
        if frame is None:
            raise _broken(name, "no frame can be decoded")
        seconds = _seconds(container, stream)
        size = Size(width=frame.width, height=frame.height)
        if _quarter_turns(frame) % 2:
            size = Size(width=size.height, height=size.width)
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        sound, kind = bool(container.streams.audio), container.format.name
    seconds = seconds or _times_of_packets(source, name)
    if seconds > limits.max_audio_s:
        raise _above(name, f"{seconds:.0f} s")
    return FilmFacts(size, seconds, rate, sound, kind)


def _above(name: str, what: str) -> InputFault:
    return InputFault(
        "input.video.too_large",
        f"The film {name} has {what}, which is above the limits.",
        "Cut it into parts or scale it down.",
        name=name,
    )


def has_pictures(source: Path | bytes, name: str = "") -> bool:
    """Returns whether the file has a video stream that is more than a cover picture.

    Raises:
        InputFault: it cannot be read.
        MissingExtra: PyAV is not installed.
    """
    with _opened(source, name) as container:
        return _pictures(container) is not None


def frames(
    source: Path | bytes, times_s: Sequence[float], name: str = "", max_side: int = 1280
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yields (time, upright RGB pixels (h, w, 3) uint8) of the frame shown at each time, in order of time.

    Times are in seconds from the film's first frame; one before it gives the first frame, one behind the
    end gives the last. The same times give the same frames.

    Raises:
        InputFault: the film is damaged, or a time is not a number.
        MissingExtra: PyAV is not installed.
    """
    wanted = sorted(float(time) for time in times_s)
    if not np.isfinite(wanted).all():
        raise InputFault("input.video.time", f"{times_s} are not times.", "Give seconds.", name=name)
    with _opened(source, name) as container:
        stream = _pictures(container)
        if stream is None:
            raise _broken(name, "it has no pictures")
        stream.thread_type = "AUTO"
        shown: Any = None
        for time, frame in _timed(container, stream, wanted):
            while wanted and shown is not None and time > wanted[0]:
                yield wanted.pop(0), _pixels(shown, max_side)
            shown = frame
            if not wanted:
                return
        for time in wanted:
            if shown is None:
                raise _broken(name, "no frame can be decoded")
            yield time, _pixels(shown, max_side)


def _timed(container: Any, stream: Any, wanted: list[float]) -> Iterator[tuple[float, Any]]:
    """Yields (seconds from the first frame, frame), jumping ahead where `wanted`, which the caller
    shortens, has nothing soon. Ends where the rest of the film cannot be decoded."""
    import av

    step = 1 / float(stream.average_rate or 25)
    start, time = float((stream.start_time or 0) * stream.time_base), -step
    jumped_to = -1.0
    while True:
        jump = None
        try:
            for frame in container.decode(stream):
                time = float(frame.time) - start if frame.time is not None else time + step
                yield time, frame
                if not wanted:
                    return
                if wanted[0] > time + SEEK_AFTER_S and wanted[0] > jumped_to:
                    jump = wanted[0]
                    break
        except av.FFmpegError:
            if time < 0:
                raise
            return
        if jump is None:
            return
        jumped_to = jump
        # Backwards to the key frame before it: what is shown at that moment is decoded again.
        with suppress(av.FFmpegError):  # a file without an index is decoded on from here
            container.seek(int((jump + start) / stream.time_base), stream=stream, backward=True)


def _quarter_turns(frame: Any) -> int:
    """Returns how many quarter turns counter-clockwise make the frame upright (phones film sideways)."""
    return round(getattr(frame, "rotation", 0) / 90) % 4


def _pixels(frame: Any, max_side: int) -> NDArray[np.uint8]:
    factor = min(1.0, max_side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * factor)), max(1, round(frame.height * factor))
    pixels: NDArray[np.uint8] = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    turned = np.ascontiguousarray(np.rot90(pixels, _quarter_turns(frame)))
    turned.setflags(write=False)
    return turned


def sound_track_facts(source: Path | bytes, name: str = "") -> SoundFacts:
    """Returns the facts of the first sound track.

    Raises:
        InputFault: there is none, or it is damaged.
        MissingExtra: PyAV is not installed.
    """
    from deixis.media.sounds import SoundFacts

    with _opened(source, name) as container:
        stream = _sound(container, name)
        rate, channels, kind = int(stream.rate or 0), int(stream.channels), container.format.name
        seconds = _seconds(container, stream)
    if not seconds:
        seconds = sum(len(block) for block in sound_track(source, name)) / max(1, rate)
    return SoundFacts(rate, channels, round(seconds * rate), kind)


def _sound(container: Any, name: str) -> Any:
    if not container.streams.audio:
        raise InputFault(
            "input.audio.none",
            f"{name or 'The film'} has no sound track.",
            "Give another file.",
            name=name,
        )
    return container.streams.audio[0]


def sound_track(source: Path | bytes, name: str = "") -> Iterator[NDArray[np.float32]]:
    """Yields the first sound track in blocks of shape (n, channels), float32, at its own rate.

    Raises:
        InputFault: it is damaged, or there is none.
        MissingExtra: PyAV is not installed.
    """
    import av

    with _opened(source, name) as container:
        stream = _sound(container, name)
        resampler = av.AudioResampler(format="fltp", rate=stream.rate)
        some = False
        try:
            for frame in container.decode(stream):
                for made in resampler.resample(frame):
                    some = True
                    yield made.to_ndarray().T.astype(np.float32)
        except av.FFmpegError as error:
            if not some:
                raise _broken(name, error) from error
        for made in resampler.resample(None):
            some = True
            yield made.to_ndarray().T.astype(np.float32)
        if not some:
            raise _broken(name, "no sound could be decoded")
