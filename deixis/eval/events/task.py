"""``deixis eval events``: what sounds from when to when, in scenes with exact truth."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deixis.errors import InputFault
from deixis.eval.events.metric import Outcome, Truth, errors, judge, within
from deixis.eval.report import Measure, Report, ToolFacts, bootstrap, proportion
from deixis.eval.sounds import classes_of
from deixis.geometry import TimeSpan
from deixis.store import Store
from deixis.tools.hearing import HearRequest, HearResult
from deixis.tools.toolbox import Toolbox

SCENES = "audio/scaper_scenes"
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")


def read_scenes(data: Path) -> list[tuple[Path, list[Truth]]]:
    """Returns each scene's sound and truths, by name.

    Raises:
        InputFault: there is none, or a line of truth is wrong.
    """
    scenes = []
    for text in sorted((data / SCENES).glob("*.txt")):
        sound = next((text.with_suffix(end) for end in SOUNDS if text.with_suffix(end).is_file()), None)
        if sound is not None:
            scenes.append(
                (sound, [_truth(text, line) for line in text.read_text("utf-8").splitlines() if line])
            )
    if not scenes:
        raise InputFault(
            "eval.data.missing", f"The data folder has no scenes in {SCENES}.", "See docs/evaluation.md."
        )
    return scenes


def _truth(file: Path, line: str) -> Truth:
    try:
        start, end, label = line.split(maxsplit=2)
        span = TimeSpan(start_s=float(start), end_s=float(end))
    except ValueError as error:
        raise InputFault(
            "eval.data.damaged", f"{file.name}: {line!r} is not 'start end label'.", "Mend the line."
        ) from error
    return Truth(label, classes_of(label), span)


class Events:
    """Recall within the tolerance at both ends, the errors of the ends, and false confident events."""

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns the figures over all scenes."""
        scenes = read_scenes(data)
        tool = toolbox.need("hearing")
        outcomes: list[Outcome] = []
        spent = 0.0
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            for number, (sound, truths) in enumerate(scenes, 1):
                audio = store.add_audio(sound)
                begun = time.monotonic()
                result: HearResult = tool.run(HearRequest(audio=audio), store)  # type: ignore[attr-defined]
                spent += time.monotonic() - begun
                outcomes.append(judge(truths, result.events))
                progress(number, len(scenes))
        return Report(
            task="events",
            profile="",
            data=data.name,
            items=sum(len(outcome.found) for outcome in outcomes),
            measures=tuple(_measures(outcomes)),
            abstentions=sum(event is None for outcome in outcomes for _, event in outcome.found),
            parse_failures=sum(not truth.classes for _, truths in scenes for truth in truths),
            seconds_per_item=spent / len(scenes),
            tools=(
                ToolFacts(
                    role="hearing", name=tool.name, version=tool.version, weights_digest=tool.weights_digest
                ),
            ),
            notes=tuple(_notes(scenes, outcomes)),
        )


def _measures(outcomes: list[Outcome]) -> list[Measure]:
    pairs = [pair for outcome in outcomes for pair in outcome.found]
    right = sum(event is not None and within(event, truth) for truth, event in pairs)
    heard = [(truth, event) for truth, event in pairs if event is not None]
    starts = [abs(errors(event, truth)[0]) for truth, event in heard]
    ends = [abs(errors(event, truth)[1]) for truth, event in heard]
    false = [len(outcome.false) for outcome in outcomes]
    measures = [
        proportion("found within 0.6 s at both ends", right, len(pairs), 1.0),
        proportion("heard at all", len(heard), len(pairs)),
    ]
    for name, values, bar in (
        ("start error, mean s", starts, None),
        ("end error, mean s", ends, None),
        ("false confident events a scene", false, 0.0),
    ):
        if values:
            made = bootstrap(name, values, lambda drawn: float(np.mean(np.array(drawn, dtype=float))), bar)
            measures.append(made.model_copy(update={"better": "lower"}))
    return measures


def _notes(scenes: list[tuple[Path, list[Truth]]], outcomes: list[Outcome]) -> list[str]:
    notes = []
    for (sound, _), outcome in zip(scenes, outcomes, strict=True):
        for truth, event in outcome.found:
            said = f"{event.label} {event.span.start_s:.2f}–{event.span.end_s:.2f} s" if event else "nothing"
            span = f"{truth.span.start_s:.2f}–{truth.span.end_s:.2f} s"
            notes.append(f"{sound.name}: {truth.label} {span}: {said}")
        notes += [
            f"{sound.name}: false: {event.label} {event.span.start_s:.2f}–{event.span.end_s:.2f} s"
            for event in outcome.false
        ]
    return notes


def events() -> Events:
    """Returns the task."""
    return Events()
