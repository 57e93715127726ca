"""The listeners without networks: tones by signal processing, and a table."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from deixis.errors import ToolFault
from deixis.tools.hearing import HearRequest
from deixis.tools.hearing.scripted import scripted
from deixis.tools.hearing.sketch import sketch
from tests.conformance.hearing import ask, check_hears_nothing_in_silence, check_listener

RATE = 16_000
TABLE = {"bark": [(0.2, 0.6), (1.0, 9.0)], "meow": [(0.5, 0.9)], "later": [(5.0, 6.0)]}


def tones(*parts: tuple[float, float], seconds: float = 3.0) -> tuple[np.ndarray, int]:
    """A tone of half a second at each (start in s, frequency in Hz)."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    for start, hertz in parts:
        times = np.arange(RATE // 2) / RATE
        samples[round(start * RATE) :][: RATE // 2] = 0.3 * np.sin(2 * np.pi * hertz * times)
    return samples, RATE


def test_the_sketch_keeps_the_promises_of_listeners(store):
    check_listener(sketch(), store, store.add_audio(tones((0.3, 300), (1.0, 900), (2.0, 3000))))
    check_hears_nothing_in_silence(sketch(), store)


def test_the_script_keeps_the_promises_of_listeners(store):
    audio = store.add_audio(tones((0.0, 440), seconds=2.0))
    check_listener(scripted(TABLE, {"bark": ("dog",)}), store, audio)


@pytest.mark.parametrize(
    ("hertz", "name"),
    [
        (120, "low beep"), (560, "low beep"), (650, "beep"), (1400, "beep"), (1600, "high beep"),
        (7000, "high beep"),
    ],
)  # fmt: skip
def test_a_tone_is_named_by_its_pitch_and_timed(store, hertz, name):
    (event,) = ask(sketch(), store, store.add_audio(tones((1.2, hertz)))).events
    assert event.label == name
    assert event.span.start_s == pytest.approx(1.2, abs=0.04)
    assert event.span.end_s == pytest.approx(1.7, abs=0.04)
    assert event.score.value > 0.9


def test_the_sketch_hears_tones_only(store):
    noise = 0.2 * np.random.default_rng(2).standard_normal(2 * RATE).astype(np.float32)
    heard = ask(sketch(), store, store.add_audio((noise, RATE)))
    assert heard.events == () and not heard.silent
    chord = tones((0.5, 300))[0] + tones((0.5, 1000))[0] + tones((0.5, 3000))[0]
    assert ask(sketch(), store, store.add_audio((chord, RATE))).events == ()


def test_the_sketch_takes_no_more_memory_for_a_long_sound(store):
    samples = np.concatenate([tones((0.5, 900), seconds=290.0)[0], tones((1.0, 900), seconds=10.0)[0]])
    audio = store.add_audio((samples, RATE))
    tracemalloc.start()
    heard = sketch().run(HearRequest(audio=audio), store)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [round(event.span.start_s, 1) for event in heard.events] == [0.5, 291.0]
    assert peak < 5 * samples.nbytes + 60e6


def test_the_sketch_keeps_the_surest_of_many(store):
    samples = tones((0.2, 300), (1.0, 900), (2.0, 2000))[0]
    samples[: RATE * 3 // 2] += 0.03 * np.random.default_rng(3).standard_normal(RATE * 3 // 2).astype(
        np.float32
    )
    heard = ask(sketch(), store, store.add_audio((samples, RATE)), top=1)
    assert [event.label for event in heard.events] == ["high beep"]


def test_the_script_says_its_table_as_far_as_it_lies_in_the_sound(store):
    audio = store.add_audio(tones((0.0, 440), seconds=2.0))
    heard = ask(scripted(TABLE, {"bark": ("dog",)}), store, audio)
    spans = [(e.label, e.span.start_s, e.span.end_s, e.parents) for e in heard.events]
    assert spans == [("bark", 0.2, 0.6, ("dog",)), ("meow", 0.5, 0.9, ()), ("bark", 1.0, 2.0, ("dog",))]
    assert not heard.silent
    assert ask(scripted(), store, audio).silent


def test_the_script_misbehaves_when_told_to(store):
    audio = store.add_audio(tones((0.0, 440), seconds=1.0))
    with pytest.raises(ToolFault):
        ask(scripted(TABLE, fail="fault"), store, audio)
