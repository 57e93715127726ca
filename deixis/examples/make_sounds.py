"""Makes the bundled sounds that are not recordings: ``python -m deixis.examples.make_sounds FOLDER``.

A bark and a miaow are glottal pulses through three formants (the source–filter model of G. Fant, 1960), with
breath noise and a small room. Their numbers, and the siren's, were found by random search: what two AudioSet
taggers, mn04 and YAMNet, both hear as *Dog*, as *Meow*, as *Siren*. The tone bursts are plain sines.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ = 16_000


class Voice(NamedTuple):
    """A call: seconds; pitch in Hz at start, peak, end; the peak's place; formants in Hz with bandwidth and
    gains; roughness, breath, spectral tilt; attack share, decay, drive; room seconds and share."""

    seconds: float
    pitch: tuple[float, float, float]
    peak: float
    formants: tuple[float, float, float]
    bandwidth: float
    gains: tuple[float, float]
    jitter: float
    noise: float
    tilt: float
    attack: float
    decay: float
    drive: float
    room_s: float
    wet: float


BARK = Voice(
    0.2032, (256.96, 634.15, 588.99), 0.5, (697.4, 1300.0, 4000.0), 414.4, (0.5749, 0.4041),
    0.0359, 0.3363, 0.5978, 0.184, 2.2721, 0.9566, 0.2637, 0.3,
)  # fmt: skip
MIAOW = Voice(
    0.7059, (680.56, 500.0, 476.65), 0.3913, (1379.4, 2543.6, 3055.8), 150.0, (0.9539, 0.1954),
    0.0291, 0.0, 0.2883, 0.05, 1.4873, 1.6636, 0.1589, 0.1157,
)  # fmt: skip


def calls(voice: Voice, starts_s: tuple[float, ...], seconds: float) -> NDArray[np.float64]:
    """Returns calls of `voice` at the given seconds in a small room: (n,), peak 0.7, at `RATE_HZ`."""
    import numpy as np

    rng = np.random.default_rng(0)
    sound = np.zeros(int(seconds * RATE_HZ))
    for start in starts_s:
        call = _call(voice, rng)
        at = int(start * RATE_HZ)
        sound[at : at + len(call)] += call[: len(sound) - at]
    length = int(voice.room_s * RATE_HZ)
    room = rng.standard_normal(length) * np.exp(-6.9 * np.linspace(0, 1, length))
    echo = np.fft.irfft(np.fft.rfft(sound, 2 * len(sound)) * np.fft.rfft(room, 2 * len(sound)))[: len(sound)]
    sound = sound + voice.wet * echo / np.abs(echo).max() + 0.001 * rng.standard_normal(len(sound))
    loud: NDArray[np.float64] = 0.7 * sound / np.abs(sound).max()
    return loud


def _call(voice: Voice, rng: np.random.Generator) -> NDArray[np.float64]:
    import numpy as np

    count = int(voice.seconds * RATE_HZ)
    at = np.linspace(0, 1, count)
    pitch = np.interp(at, [0, voice.peak, 1], voice.pitch)
    pitch = pitch * (1 + voice.jitter * rng.standard_normal(count).cumsum() / np.sqrt(count))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    source = np.zeros(count)
    for k in range(1, 40):
        source += np.where(pitch * k < RATE_HZ / 2 - 200, np.cos(k * phase) / k**voice.tilt, 0)
    source = source / np.abs(source).max() * (1 - voice.noise)
    source += voice.noise * rng.standard_normal(count) * 0.5
    hertz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    widths = (voice.bandwidth, 1.5 * voice.bandwidth, 2 * voice.bandwidth)
    shape = sum(
        gain / (1 + ((hertz - middle) / (width / 2)) ** 2)
        for middle, width, gain in zip(voice.formants, widths, (1.0, *voice.gains), strict=True)
    )
    call = np.fft.irfft(np.fft.rfft(source) * shape, count)
    rise = np.minimum(at / voice.attack, 1) * np.exp(-voice.decay * np.maximum(at - voice.attack, 0))
    call = np.tanh(voice.drive * call / np.abs(call).max()) * rise * np.minimum((1 - at) / 0.1, 1)
    loud: NDArray[np.float64] = call / np.abs(call).max()
    return loud


def siren(seconds: float = 4.0) -> NDArray[np.float64]:
    """Returns a yelping siren in a street: (n,), peak 0.6, 727 to 1284 Hz and back 2.5 times a second, with
    echo and a low rumble, swelling and fading as something that drives by."""
    import numpy as np

    rng = np.random.default_rng(0)
    count = int(seconds * RATE_HZ)
    at = np.arange(count) / RATE_HZ
    pitch = 727.3 * (1283.7 / 727.3) ** ((1 - np.cos(2 * np.pi * 2.531 * at)) / 2)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE_HZ
    wave = sum(np.where(pitch * k < 7800, np.sin(k * phase), 0) / k**1.754 for k in range(1, 10))
    wave = np.tanh(2.26 * wave / np.abs(wave).max())
    length = int(1.524 * RATE_HZ)
    street = rng.standard_normal(length) * np.exp(-6.9 * np.linspace(0, 1, length))
    echo = np.fft.irfft(np.fft.rfft(wave, 2 * count) * np.fft.rfft(street, 2 * count))[:count]
    rumble = rng.standard_normal(count).cumsum()
    rumble -= np.convolve(rumble, np.ones(400) / 400, "same")
    sound = (wave + 0.765 * echo / np.abs(echo).max()) / 1.255 + 0.234 * rumble / np.abs(rumble).max()
    edge = np.minimum(at, seconds - at)
    sound *= np.minimum(1, edge / 0.1)
    loud: NDArray[np.float64] = 0.6 * sound / np.abs(sound).max()
    return loud


def bursts(hertz: float, starts_s: tuple[float, ...], length_s: float, seconds: float) -> NDArray[np.float64]:
    """Returns bursts of a tone at the given seconds: (n,), peak 0.45, with edges of 5 ms."""
    import numpy as np

    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    wave = np.sin(2 * np.pi * hertz * at)
    gate = np.zeros_like(at)
    for start in starts_s:
        edge = np.minimum(at - start, start + length_s - at) / 0.005
        gate = np.maximum(gate, np.clip(edge, 0, 1))
    tone: NDArray[np.float64] = 0.45 * wave * gate
    return tone


def main() -> None:
    """Writes the sounds into a folder, as Ogg Vorbis."""
    import soundfile

    parser = argparse.ArgumentParser(description="Make the bundled sounds.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    made = {
        "bark.ogg": calls(BARK, (0.4, 0.85, 2.1, 2.55), 3.5),
        "miaow.ogg": calls(MIAOW, (0.4, 1.9), 3.5),
        "siren.ogg": siren(),
        "bursts.ogg": bursts(880, (0.5, 1.5, 2.5), 0.4, 3.5),
    }
    for name, samples in made.items():
        soundfile.write(folder / name, samples, RATE_HZ, format="OGG", subtype="VORBIS")


if __name__ == "__main__":
    main()
