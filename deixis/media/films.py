"""Films and their sound tracks, through PyAV (the extra `video`)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault, MissingExtra
from deixis.geometry import Size
from deixis.media.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.media.sounds import SoundFacts


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtra("video", "av", "Reading films and M4A sounds") from error
    return av


def _opened(source: Path | bytes, name: str) -> Any:
    av = _av()
    try:
        return av.open(io.BytesIO(source) if isinstance(source, bytes) else str(source))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _broken(name, error) from error


def _broken(name: str, error: object) -> InputFault:
    return InputFault(
        "input.video.broken",
        f"{name or 'What was given'} cannot be read as a film or a sound ({error}).",
        "Export it again, for example as MP4 with H.264 and AAC.",
        name=name,
    )


def film_facts(
    source: Path | bytes, name: str = "", limits: Limits = DEFAULT
) -> tuple[Size, float, float, bool, str]:
    """Returns size, duration in seconds, frames per second, whether it has sound, and the format.

    Raises:
        InputFault: it is no film, or is above the limits.
        MissingExtra: PyAV is not installed.
    """
    with _opened(source, name) as container:
        if not container.streams.video:
            raise InputFault(
                "input.video.no_pictures",
                f"{name or 'The film'} has no pictures.",
                "Give it as a sound instead.",
            )
        stream = container.streams.video[0]
        rate = float(stream.average_rate or stream.guessed_rate or 25)
        ticks = stream.duration * stream.time_base if stream.duration else None
        seconds = float(ticks if ticks is not None else (container.duration or 0) / 1_000_000)
        size = Size(width=max(1, stream.width), height=max(1, stream.height))
        if size.area > limits.max_pixels or seconds > limits.max_audio_s:
            raise InputFault(
                "input.video.too_large", f"The film {name} is above the limits.", "Cut it or scale it down."
            )
        return size, seconds, rate, bool(container.streams.audio), container.format.name


def has_pictures(source: Path | bytes, name: str = "") -> bool:
    """Returns whether the file has a video stream that is more than a cover picture.

    Raises:
        InputFault: it cannot be read.
        MissingExtra: PyAV is not installed.
    """
    with _opened(source, name) as container:
        return any(not int(stream.disposition) & 0x400 for stream in container.streams.video)


def frames(
    source: Path | bytes, times_s: Sequence[float], name: str = "", max_side: int = 1280
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yields (time in seconds, RGB pixels (h, w, 3) uint8) of the frame shown at each time, in order.

    The same times give the same frames: no random cropping or sampling.

    Raises:
        InputFault: the film is damaged.
        MissingExtra: PyAV is not installed.
    """
    av = _av()
    with _opened(source, name) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        wanted = sorted(times_s)
        shown: Any = None
        try:
            for frame in container.decode(stream):
                while wanted and shown is not None and float(frame.time) > wanted[0]:
                    yield wanted.pop(0), _pixels(shown, max_side)
                shown = frame
                if not wanted:
                    return
        except av.FFmpegError as error:
            if shown is None:
                raise _broken(name, error) from error
        for time in wanted:
            if shown is not None:
                yield time, _pixels(shown, max_side)


def _pixels(frame: Any, max_side: int) -> NDArray[np.uint8]:
    factor = min(1.0, max_side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * factor)), max(1, round(frame.height * factor))
    pixels: NDArray[np.uint8] = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return pixels


def sound_track_facts(source: Path | bytes, name: str = "") -> SoundFacts:
    """Returns the facts of the first sound track.

    Raises:
        InputFault: there is none, or it is damaged.
        MissingExtra: PyAV is not installed.
    """
    from deixis.media.sounds import SoundFacts

    with _opened(source, name) as container:
        if not container.streams.audio:
            raise InputFault(
                "input.audio.none", f"{name or 'The film'} has no sound track.", "Give another file."
            )
        stream = container.streams.audio[0]
        ticks = stream.duration * stream.time_base if stream.duration else None
        seconds = float(ticks if ticks is not None else (container.duration or 0) / 1_000_000)
        rate = int(stream.rate or 0)
        return SoundFacts(rate, int(stream.channels), round(seconds * rate), container.format.name)


def sound_track(source: Path | bytes, name: str = "") -> NDArray[np.float32]:
    """Returns the first sound track, shape (n, channels), float32, at its own rate.

    Raises:
        InputFault: it is damaged.
        MissingExtra: PyAV is not installed.
    """
    av = _av()
    with _opened(source, name) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", rate=stream.rate)
        parts: list[NDArray[np.float32]] = []
        try:
            for frame in container.decode(stream):
                parts += [made.to_ndarray().T for made in resampler.resample(frame)]
        except av.FFmpegError as error:
            if not parts:
                raise _broken(name, error) from error
        parts += [made.to_ndarray().T for made in resampler.resample(None)]
    if not parts:
        raise _broken(name, "no sound could be decoded")
    return np.concatenate(parts).astype(np.float32)
