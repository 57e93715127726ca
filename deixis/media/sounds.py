"""Sounds: facts and mono samples, by soundfile, or by PyAV for what soundfile does not know."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.media.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1 << 18
"""Frames decoded at a time, so that hours of sound never lie in memory at their full rate."""
CONTAINERS = (b"ftyp", b"moov", b"mdat", b"\x1aE\xdf\xa3", b"#!AMR", b"\x30\x26\xb2\x75")
"""What files begin with that PyAV may read: MP4 and M4A, Matroska and WebM, AMR, ASF and WMA."""


@dataclass(frozen=True)
class SoundFacts:
    """What a sound file says of itself."""

    rate_hz: int
    channels: int
    frames: int
    format: str

    @property
    def duration_s(self) -> float:
        """Returns the length in seconds."""
        return self.frames / self.rate_hz


def _broken(name: str, error: object) -> InputFault:
    return InputFault(
        "input.audio.broken",
        f"The sound {name or 'given'} is truncated or damaged ({error}).",
        "Export it again, or give another file.",
        name=name,
    )


def _unknown(name: str) -> InputFault:
    return InputFault(
        "input.audio.unknown",
        f"{name or 'What was given'} is not a sound in a format that is known here.",
        "Give a WAV, FLAC, OGG, OPUS or MP3 file; the suffix does not matter.",
        name=name,
    )


def _opened(source: Path | bytes) -> Any:
    import soundfile

    return soundfile.SoundFile(io.BytesIO(source) if isinstance(source, bytes) else str(source))


def is_container(source: Path | bytes) -> bool:
    """Returns whether the file begins like a film or a sound that only PyAV reads."""
    if isinstance(source, bytes):
        head = source[:64]
    else:
        with source.open("rb") as file:
            head = file.read(64)
    return any(sign in head for sign in CONTAINERS)


def sound_facts(source: Path | bytes, name: str = "", limits: Limits = DEFAULT) -> SoundFacts:
    """Returns rate, channels, length and format, within the limits.

    Raises:
        InputFault: it is not a sound, is empty, damaged, or above the limits.
        MissingExtra: it is a film or an M4A file, and PyAV is not installed.
    """
    import soundfile

    try:
        with _opened(source) as file:
            facts = SoundFacts(file.samplerate, file.channels, file.frames, file.format)
    except soundfile.LibsndfileError as error:
        if not is_container(source):
            head = source[:4] if isinstance(source, bytes) else source.open("rb").read(4)
            if head in (b"RIFF", b"fLaC", b"OggS", b"RIFX", b"FORM") or head[:3] == b"ID3":
                raise _broken(name, error) from error
            raise _unknown(name) from error
        from deixis.media.films import sound_track_facts

        facts = sound_track_facts(source, name)
    if facts.frames <= 0:
        raise InputFault(
            "input.audio.empty", f"The sound {name or 'given'} has no samples.", "Give another file."
        )
    if facts.duration_s > limits.max_audio_s:
        raise InputFault(
            "input.audio.too_long",
            f"The sound {name or 'given'} lasts {facts.duration_s:.0f} s; "
            f"the limit is {limits.max_audio_s:.0f} s.",
            "Cut it into parts.",
            name=name,
        )
    if facts.channels > limits.max_channels or not 1 <= facts.rate_hz <= limits.max_rate_hz:
        raise _broken(name, f"{facts.channels} channels at {facts.rate_hz} Hz")
    return facts


def decode_mono(
    source: Path | bytes, rate_hz: int, name: str = "", limits: Limits = DEFAULT
) -> NDArray[np.float32]:
    """Returns the mean of all channels at `rate_hz`, shape (n,), float32 in -1..1, read-only.

    Raises:
        InputFault: the file is damaged, or too many samples are not finite.
    """
    import soxr

    facts = sound_facts(source, name, limits)
    stream = soxr.ResampleStream(facts.rate_hz, rate_hz, 1, dtype="float32")
    parts: list[NDArray[np.float32]] = []
    bad = total = 0
    for block in _blocks(source, name):
        finite = np.isfinite(block)
        bad += int(block.size - finite.sum())
        total += block.size
        mono = np.where(finite, block, 0).mean(axis=1, dtype=np.float32)
        parts.append(mono if facts.rate_hz == rate_hz else stream.resample_chunk(mono))
    if facts.rate_hz != rate_hz:
        parts.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    if total == 0:
        raise _broken(name, "no samples could be read")
    if bad > limits.max_not_finite * total:
        raise InputFault(
            "input.audio.not_finite",
            f"{bad / total:.0%} of the samples of {name or 'the sound'} are not numbers.",
            "Export it again; a division by zero in an earlier step makes such samples.",
            name=name,
        )
    samples = np.clip(np.concatenate(parts), -1, 1)
    samples.setflags(write=False)
    return samples


def _blocks(source: Path | bytes, name: str) -> Iterator[NDArray[np.float32]]:
    """Yields the samples in blocks of shape (n, channels), float32."""
    import soundfile

    try:
        with _opened(source) as file:
            yield from file.blocks(BLOCK, dtype="float32", always_2d=True)
            return
    except soundfile.LibsndfileError as error:
        if not is_container(source):
            raise _broken(name, error) from error
    from deixis.media.films import sound_track

    yield sound_track(source, name)


def encode_wav(samples: NDArray[Any], rate_hz: int) -> bytes:
    """Returns samples, shape (n,) or (n, channels), as a WAV file: floats as 32-bit, ints as they are.

    Raises:
        InputFault: the array or the rate is not a sound.
    """
    import soundfile

    array = np.asarray(samples)
    if array.ndim not in (1, 2) or array.size == 0 or not 1 <= int(rate_hz) <= DEFAULT.max_rate_hz:
        raise InputFault(
            "input.audio.array",
            f"An array of shape {array.shape} at {rate_hz} Hz is not a sound.",
            "Give (samples, rate): samples of shape (n,) or (n, channels), floats in -1..1 or integers.",
        )
    if np.issubdtype(array.dtype, np.floating):
        array, subtype = array.astype(np.float32), "FLOAT"
    elif np.issubdtype(array.dtype, np.integer):
        wide = array.dtype.itemsize > 2
        array, subtype = array.astype(np.int32 if wide else np.int16), "PCM_32" if wide else "PCM_16"
    else:
        raise InputFault(
            "input.audio.array", f"Samples of type {array.dtype} are not a sound.", "Give floats or integers."
        )
    out = io.BytesIO()
    soundfile.write(out, array, int(rate_hz), format="WAV", subtype=subtype)
    return out.getvalue()
