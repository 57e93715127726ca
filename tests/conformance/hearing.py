"""What every listener must hold to, whatever it is made of; other people's listeners can run it too.

``check_events`` looks at one result; ``check_listener`` asks a tool the questions that find most faults.
"""

from __future__ import annotations

import asyncio
import math
from itertools import combinations
from typing import Any

import numpy as np

from deixis.media.refs import AudioRef
from deixis.store import Store
from deixis.tools.hearing import HearRequest, HearResult

RATE = 16_000


def check_events(request: HearRequest, result: HearResult) -> None:
    """Checks order, times, names, scores and number of the events, the clip's labels, and the plan.

    Raises:
        AssertionError: the listener broke a rule; the message names it.
    """
    duration = request.audio.duration_s
    events = result.events
    assert len(events) <= request.top, "no more events than asked for"
    starts = [event.span.start_s for event in events]
    assert starts == sorted(starts), "events come by start time"
    for event in events:
        assert 0 <= event.span.start_s <= event.span.end_s <= duration, "an event lies inside the sound"
        assert event.label == event.label.strip().casefold() != "", "a label is a name in lower case"
        assert event.label not in event.parents, "a parent is another class"
        assert event.score.kind == "hearing" and 0 <= event.score.value <= 1, "a score is in 0..1"
        assert event.score.value >= (request.threshold or 0), "no event below the threshold"
    for one, other in combinations(events, 2):
        apart = one.span.end_s <= other.span.start_s or other.span.end_s <= one.span.start_s
        assert one.label != other.label or apart, "a class is heard once at a time"
    scores = [label.score.value for label in result.clip]
    assert scores == sorted(scores, reverse=True), "labels of the clip come best first"
    assert len({label.label for label in result.clip}) == len(scores), "a label of the clip comes once"
    assert all(label.score.kind == "hearing" and 0 <= label.score.value <= 1 for label in result.clip)
    assert not (result.silent and events), "nothing is heard in silence"
    assert math.isfinite(result.level_dbfs), "the level is a number, of silence as well"
    if result.plan is not None:
        plan = result.plan
        assert plan.length_s > 0 and plan.hop_s > 0 and plan.count >= 1, "a plan has windows"
        assert plan.count * plan.hop_s >= duration, "the windows reach the end"


def ask(tool: Any, store: Store, audio: AudioRef, **more: Any) -> HearResult:
    """Returns the tool's validated, checked result."""
    request = HearRequest(audio=audio, **more)
    result = HearResult.model_validate(asyncio.run(tool(request, store)))
    check_events(request, result)
    return result


def check_listener(tool: Any, store: Store, audio: AudioRef) -> None:
    """Asks for all events, few, sure ones; of a sound in which it hears something, and of bits of others.

    Raises:
        AssertionError: the listener broke a rule; the message names it.
    """
    usual = ask(tool, store, audio)
    assert usual.events, "the sound to check with has events"
    assert usual == ask(tool, store, audio), "the same sound, the same events"
    everything = ask(tool, store, audio, threshold=0.0, top=1000)
    assert set(usual.events) <= set(everything.events), "a threshold changes no event"
    limit = max(event.score.value for event in everything.events)
    sure = ask(tool, store, audio, threshold=limit, top=1000)
    assert set(sure.events) == {e for e in everything.events if e.score.value >= limit}, (
        "a threshold takes away what is below it and nothing else"
    )
    (best,) = ask(tool, store, audio, threshold=0.0, top=1).events
    assert best.score.value == limit, "`top` takes the surest"
    times = np.arange(RATE // 20) / RATE
    for samples in (0.3 * np.sin(2 * np.pi * 700 * times), np.array([0.5]), np.full(5, -1.0)):
        ask(tool, store, store.add_audio((samples.astype(np.float32), RATE)))


def check_hears_nothing_in_silence(tool: Any, store: Store) -> None:
    """Asks about digital silence, a constant offset, and the faintest noise a file can hold.

    Raises:
        AssertionError: the listener heard something.
    """
    hiss = np.random.default_rng(0).integers(-1, 2, RATE) / 32768
    for samples in (np.zeros(RATE), hiss):
        heard = ask(tool, store, store.add_audio((samples.astype(np.float32), RATE)))
        assert heard.silent and heard.events == (), "silence is silent"
    offset = store.add_audio((np.full(RATE, 0.25, np.float32), RATE))
    assert ask(tool, store, offset).events == (), "a constant is no sound"
