"""Sounds: facts and mono samples, by soundfile, or by PyAV for what soundfile does not know."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deixis.errors import InputFault
from deixis.media.containers import demuxer_of, head_of
from deixis.media.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1 << 17
"""Frames decoded at a time, so that hours of sound never lie in memory at their full rate."""
SIGNATURES = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3", b"caff", b".snd")


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
        f"The sound {name or 'given'} is cut off or damaged ({error}).",
        "Copy or export it again, or give another file.",
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
        if demuxer_of(source) is None:
            raise (_broken(name, error) if _looks_like_sound(source) else _unknown(name)) from error
        from deixis.media.films import sound_track_facts

        facts = sound_track_facts(source, name)
    return _within(facts, name, limits)


def _looks_like_sound(source: Path | bytes) -> bool:
    head = head_of(source, 12)
    return head.startswith(SIGNATURES) and head[8:12] != b"WEBP"


def _within(facts: SoundFacts, name: str, limits: Limits) -> SoundFacts:
    """Returns the facts, where they are within the limits.

    Raises:
        InputFault: no samples, too long, or a rate or channels that no sound has.
    """
    if facts.channels > limits.max_channels or not 1 <= facts.rate_hz <= limits.max_rate_hz:
        raise _broken(name, f"{facts.channels} channels at {facts.rate_hz} Hz")
    if facts.frames <= 0:
        raise InputFault(
            "input.audio.empty",
            f"The sound {name or 'given'} has no samples.",
            "Give another file.",
            name=name,
        )
    if facts.duration_s > limits.max_audio_s:
        raise InputFault(
            "input.audio.too_long",
            f"The sound {name or 'given'} lasts {facts.duration_s:.0f} s; "
            f"the limit is {limits.max_audio_s:.0f} s.",
            "Cut it into parts.",
            name=name,
        )
    return facts


def check(source: Path | bytes, name: str = "", limits: Limits = DEFAULT) -> None:
    """Passes where every block of the sound can be decoded; nothing of it is kept.

    Raises:
        InputFault: the file is damaged, or too many samples are not finite.
    """
    for _ in _mono_blocks(source, name, limits):
        continue


def decode_mono(
    source: Path | bytes, rate_hz: int, name: str = "", limits: Limits = DEFAULT
) -> NDArray[np.float32]:
    """Returns the mean of all channels at `rate_hz`, shape (n,), float32 in -1..1, finite, read-only.

    Decoded and resampled block by block into one array, so that memory holds little more than it.

    Raises:
        InputFault: the file is damaged, above the limits, or too many samples are not finite.
    """
    import soxr

    facts = sound_facts(source, name, limits)
    samples = np.zeros(round(facts.duration_s * rate_hz) + 16, np.float32)
    if samples.nbytes > limits.max_samples_bytes:
        raise InputFault(
            "input.audio.too_long",
            f"The sound {name or 'given'} takes {samples.nbytes / 1e6:.0f} MB at {rate_hz} Hz; "
            f"the limit is {limits.max_samples_bytes / 1e6:.0f} MB.",
            "Cut it into parts.",
            name=name,
        )
    same = facts.rate_hz == rate_hz
    stream = None if same else soxr.ResampleStream(facts.rate_hz, rate_hz, 1, dtype="float32")
    filled = 0

    def take(block: NDArray[np.float32]) -> None:
        nonlocal samples, filled
        if filled + len(block) > len(samples):  # the header promised less than there is
            samples = np.concatenate([samples[:filled], np.zeros(len(block) + filled // 2, np.float32)])
        np.clip(block, -1, 1, out=samples[filled : filled + len(block)])
        filled += len(block)

    for mono in _mono_blocks(source, name, limits):
        take(mono if stream is None else stream.resample_chunk(mono))
    if stream is not None:
        take(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    samples = samples[:filled]
    samples.setflags(write=False)
    return samples


def _mono_blocks(source: Path | bytes, name: str, limits: Limits) -> Iterator[NDArray[np.float32]]:
    """Yields the mean of all channels in blocks of shape (n,), float32, samples that are no numbers as 0.

    Raises:
        InputFault: the file is damaged, has no samples, or too many of them are not finite.
    """
    bad = total = frames = 0
    for block in _blocks(source, name):
        total += block.size
        frames += len(block)
        finite = np.isfinite(block)
        if not finite.all():
            bad += int(block.size - finite.sum())
            block = np.where(finite, block, 0)  # noqa: PLW2901
        yield block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
    if frames == 0:
        raise _broken(name, "no samples could be read")
    if bad > limits.max_not_finite * total:
        raise InputFault(
            "input.audio.not_finite",
            f"{bad / total:.0%} of the samples of {name or 'the sound'} are not numbers.",
            "Export it again; a division by zero in an earlier step makes such samples.",
            name=name,
        )


def _blocks(source: Path | bytes, name: str) -> Iterator[NDArray[np.float32]]:
    """Yields the samples in blocks of shape (n, channels), float32."""
    import soundfile

    try:
        with _opened(source) as file:
            yield from file.blocks(BLOCK, dtype="float32", always_2d=True)
            return
    except soundfile.LibsndfileError as error:
        if demuxer_of(source) is None:
            raise _broken(name, error) from error
    from deixis.media.films import sound_track

    yield from sound_track(source, name)


def encode(samples: Any, rate_hz: Any, limits: Limits = DEFAULT) -> bytes:
    """Returns samples, shape (n,) or (n, channels), as a WAV file: floats in 32 bit, integers in 16 or 32.

    Raises:
        InputFault: the array or the rate is not a sound.
    """
    import soundfile

    array = np.asarray(samples)
    if not isinstance(rate_hz, int | np.integer | float) or not 1 <= rate_hz <= limits.max_rate_hz:
        raise InputFault("input.audio.array", f"{rate_hz!r} is not a rate.", "Give it in Hz, e.g. 16000.")
    if array.size == 0:
        raise InputFault("input.audio.empty", "The sound given has no samples.", "Give another array.")
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] > limits.max_channels):
        raise InputFault(
            "input.audio.array",
            f"An array of shape {array.shape} is not a sound.",
            "Give samples of shape (n,) or (n, channels); transpose it where channels come first.",
        )
    subtypes = {np.dtype(np.int16): "PCM_16", np.dtype(np.int32): "PCM_32"}
    if np.issubdtype(array.dtype, np.floating):
        array, subtype = array.astype(np.float32), "FLOAT"
    elif array.dtype == np.uint8:  # as 8-bit WAV files hold them: the middle is 128
        array, subtype = (array.astype(np.int16) - 128) << 8, "PCM_16"
    elif array.dtype in subtypes:
        subtype = subtypes[array.dtype]
    else:
        raise InputFault(
            "input.audio.array",
            f"Samples of type {array.dtype} have no agreed loudness.",
            "Give floats in -1..1, or integers of type int16, int32 or uint8.",
        )
    out = io.BytesIO()
    soundfile.write(out, array, round(rate_hz), format="WAV", subtype=subtype)
    return out.getvalue()


def write_flac(path: Path, facts: SoundFacts, blocks: Iterator[NDArray[np.float32]]) -> None:
    """Writes blocks of shape (n, channels) as a FLAC file of 16 bit; more than 8 channels as their mean."""
    import soundfile

    channels = facts.channels if facts.channels <= 8 else 1  # the most that FLAC holds
    with soundfile.SoundFile(
        str(path), "w", samplerate=facts.rate_hz, channels=channels, format="FLAC", subtype="PCM_16"
    ) as file:
        for block in blocks:
            file.write(block if block.shape[1] == channels else block.mean(axis=1, keepdims=True))
