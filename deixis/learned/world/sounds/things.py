"""Weather, fire and tools: rain, thunder, fire, typing, hammer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.world.sounds import signal as dsp

if TYPE_CHECKING:
    from deixis.learned.world.sounds.signal import Sound


def rain(rng: np.random.Generator) -> Sound:
    """Returns rain: hiss of many drops, single drops that are heard, heavier and lighter."""
    count = dsp.length(rng.uniform(2.0, 4.2))
    size = dsp.good_length(count)
    hiss = dsp.noise(rng, count, dsp.band(size, rng.uniform(700, 2200), rng.uniform(5000, 9000), 0.7))
    drops = np.zeros(count, np.float32)
    many = int(rng.uniform(150, 900) * count / dsp.RATE_HZ)
    drops[rng.integers(count, size=many)] = rng.exponential(1.0, many) * rng.choice([-1, 1], many)
    centres = rng.uniform(1200, 6000, 4)
    (patter,) = dsp.filtered(
        drops, dsp.resonances(dsp.filter_size(count), centres, centres * 0.25, (1, 1, 1, 1))
    )
    sound = hiss * (1 + np.float32(0.08) * dsp.wander(rng, count, 3)) + np.float32(
        rng.uniform(0.2, 0.9)
    ) * patter / (patter.std() + 1e-6)
    return np.asarray(sound * dsp.hull(count, rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.5)))


def thunder(rng: np.random.Generator) -> Sound:
    """Returns thunder: a crack, near or none, and a rumble that rolls in several waves."""
    count = dsp.length(rng.uniform(2.2, 4.2))
    dark = dsp.slope_noise(rng, count, rng.uniform(7, 10), rng.uniform(110, 250))
    broad = dsp.slope_noise(rng, count, rng.uniform(1, 5), rng.uniform(120, 380))
    rolling, cracking = np.zeros(count, np.float32), np.zeros(count, np.float32)
    time = np.arange(count, dtype=np.float32) / dsp.RATE_HZ
    rise_s, roll_s, crack_s = rng.uniform(0.01, 0.16), rng.uniform(0.7, 2.0), rng.uniform(0.1, 0.5)
    for number, start in enumerate(
        np.sort(rng.uniform(0, 0.6, int(rng.integers(2, 8)))) * count / dsp.RATE_HZ
    ):
        since = np.maximum(time - np.float32(start if number else 0), 0)
        rise = np.float32(rng.uniform(0.35, 1)) * (1 - np.exp(-since / np.float32(rise_s)))
        rolling += rise * np.exp(-since / np.float32(roll_s))
        cracking += rise * np.exp(-since / np.float32(crack_s))
    slow, fast = dsp.wander(rng, count, rng.uniform(2, 6)), dsp.wander(rng, count, rng.uniform(10, 40))
    rough = np.exp(np.float32(rng.uniform(0.05, 0.4)) * slow + np.float32(rng.uniform(0.05, 0.3)) * fast)
    sound = (dark * rolling + np.float32(rng.uniform(0, 0.6)) * broad * cracking) * rough
    if rng.random() < 0.25:
        crack = dsp.length(rng.uniform(0.15, 0.4))
        burst = dsp.noise(rng, crack, dsp.band(dsp.good_length(crack), 300, 3000, 1)) * dsp.hull(
            crack, 0.003, 0.08, 4
        )
        sound[:crack] += np.float32(rng.uniform(0.3, 1.0)) * burst * np.abs(dsp.wander(rng, crack, 60))
    return sound * dsp.hull(count, rng.uniform(0.01, 0.3), rng.uniform(0.3, 0.6))


def fire(rng: np.random.Generator) -> Sound:
    """Returns a fire: sharp crackles of all strengths over a soft roar."""
    count = dsp.length(rng.uniform(1.6, 4.0))
    roar = dsp.slope_noise(rng, count, rng.uniform(4, 7), 120) * (
        1 + np.float32(0.25) * dsp.wander(rng, count, 7)
    )
    crackles = np.zeros(count, np.float32)
    for rate, loud, low, high in ((35, 0.5, 1500, 6500), (12, 1.0, 700, 3500), (2.5, 2.2, 400, 1800)):
        many = max(2, int(rng.poisson(rate * rng.uniform(0.6, 1.6) * count / dsp.RATE_HZ)))
        sparks = np.zeros(count, np.float32)
        sparks[rng.integers(count, size=many)] = (
            (rng.pareto(2.2, many) + 0.2) * loud * rng.choice([-1, 1], many)
        )
        centres = rng.uniform(low, high, 3)
        (clicks,) = dsp.filtered(
            sparks, dsp.resonances(dsp.filter_size(count), centres, centres * 0.5, (1, 1, 1))
        )
        crackles += clicks
    crackles = np.tanh(crackles / (np.abs(crackles).max() + 1e-6) * 3)
    hiss = dsp.noise(rng, count, dsp.band(dsp.good_length(count), 2000, 7000, 1)) * np.abs(
        dsp.wander(rng, count, 9)
    )
    sound = crackles + np.float32(rng.uniform(0.03, 0.1)) * roar + np.float32(rng.uniform(0.005, 0.02)) * hiss
    return np.asarray(sound * dsp.hull(count, rng.uniform(0.05, 0.3), rng.uniform(0.05, 0.3)))


def typing(rng: np.random.Generator) -> Sound:
    """Returns typing: keys that go down and come up 5 to 12 times a second, some harder, no two alike."""
    count, rate = dsp.length(rng.uniform(1.4, 3.6)), rng.uniform(5.5, 12)
    body = rng.uniform(rng.uniform(500, 2400), rng.uniform(3000, 5600), 3)
    regular, released, soft = rng.uniform(3, 8), rng.uniform(0.055, 0.11), rng.uniform(0.35, 0.9)
    keys = [_key(rng, body) for _ in range(6)]
    starts, grains, gains = [], [], []
    at = 0.0
    while at < count / dsp.RATE_HZ - 0.15:
        down = int(rng.integers(6))
        starts += [dsp.length(at), dsp.length(at + released * rng.uniform(0.8, 1.2))]
        grains += [keys[down], keys[(down + 1) % 6]]
        hard = rng.uniform(soft, 1.0)
        gains += [hard, hard * rng.uniform(0.15, 0.65)]
        at += min(0.42, rng.gamma(regular, 1 / rate / regular) + 0.03)
    return dsp.scattered(starts, grains, gains)


def _key(rng: np.random.Generator, body: Sound) -> Sound:
    count = dsp.length(rng.uniform(0.012, 0.038))
    click = np.zeros(count + dsp.length(0.0125), np.float32)
    click[:count] = dsp.noise(rng, count) * dsp.hull(
        count, rng.uniform(0.0005, 0.0015), 0.006, rng.uniform(3, 9)
    )
    centres = np.concatenate([body * rng.uniform(0.9, 1.1, 3), [rng.uniform(200, 620)]])
    gains = (1.0, 1.0, 0.8, rng.uniform(0.1, 0.9))
    response = dsp.resonances(dsp.filter_size(len(click)), centres, centres * rng.uniform(0.15, 0.45), gains)
    (shaped,) = dsp.filtered(click, response)
    return dsp.unit(shaped + np.float32(rng.uniform(0.2, 0.7)) * click) * dsp.hull(len(click), 0.0005, 0.01)


def hammer(rng: np.random.Generator) -> Sound:
    """Returns 3 to 10 blows of a hammer: on wood dull and short, on a nail or metal ringing."""
    every, blows = rng.uniform(0.2, 0.42), int(rng.integers(3, 11))
    if rng.random() < 0.7:
        hertz = np.sort(rng.uniform(rng.uniform(900, 1500), rng.uniform(2900, 5600), 6))
        decays = rng.uniform(0.2, 0.3) * rng.uniform(0.6, 1.4, 6)
    else:
        hertz, decays = np.sort(rng.uniform(180, 1600, 6)), rng.uniform(0.05, 0.14, 6)
    count, loud, dying = dsp.length(0.25), rng.uniform(0.6, 2.0), rng.uniform(1, 5)
    low, high = rng.uniform(80, 500), rng.uniform(2200, 6500)
    starts, grains = [], []
    for number in range(blows):
        blow = dsp.modes(count, hertz * rng.uniform(0.99, 1.01, 6), decays, rng.uniform(0.3, 1, 6))
        hit = dsp.length(0.04)
        thud = dsp.noise(rng, hit, dsp.band(dsp.good_length(hit), low, high, 1)) * dsp.hull(
            hit, 0.0005, 0.01, dying
        )
        blow[:hit] += np.float32(loud) * thud
        starts.append(dsp.length(number * every * rng.uniform(0.96, 1.04)))
        grains.append(dsp.unit(blow) * dsp.hull(count, 0.0005, 0.03))
    return dsp.scattered(starts, grains, rng.uniform(0.6, 1.0, blows).tolist())
