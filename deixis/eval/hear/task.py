"""``deixis eval hear``: the name of each clip among what is heard."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from deixis.errors import InputFault
from deixis.eval.data import read_json
from deixis.eval.report import Measure, Report, ToolFacts, proportion
from deixis.eval.sounds import classes_of, says
from deixis.eval.trained_on import heard_before, left_out
from deixis.media.refs import AudioRef, MediaSource
from deixis.store import Store
from deixis.tools.hearing import HearRequest, HearResult
from deixis.tools.toolbox import Toolbox

LABELS = "audio/labels.json"
TOP = (1, 4)


def read_clips(data: Path) -> list[tuple[str, str]]:
    """Returns (file, label) of each clip.

    Raises:
        InputFault: the file is missing or has another form.
    """
    try:
        return [(row["file"], row["label"]) for row in read_json(data, LABELS)]
    except (KeyError, TypeError) as error:
        raise InputFault(
            "eval.data.damaged", f"{LABELS} has another form ({error}).", "See docs/evaluation.md."
        ) from error


def ranked(result: HearResult) -> list[str]:
    """Returns the class ids that a tool names, the surest first: events and clip labels together."""
    named = [(event.score.value, event.class_id) for event in result.events]
    named += [(label.score.value, label.class_id) for label in result.clip]
    return list(dict.fromkeys(class_id for _, class_id in sorted(named, key=lambda row: -row[0])))


def hits(ids: Sequence[str], wanted: frozenset[str], top: int) -> bool:
    """Returns whether one of the first `top` classes says a wanted one."""
    return any(says(class_id, want) for class_id in ids[:top] for want in wanted)


class Hear:
    """Top-1 and top-4 of each clip's own label; YAMNet and mn04 alone as baselines."""

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns the shares of clips that are named rightly."""
        tool = toolbox.need("hearing")
        listed = read_clips(data)
        clips = [one for one in listed if not heard_before(tool, data / one[0])]
        wanted = [classes_of(label) for _, label in clips]
        mine: list[list[str]] = []
        others: dict[str, list[list[str]]] = {"yamnet alone": [], "mn04 alone": []}
        confident = 0
        begun = time.monotonic()
        spent = 0.0
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            for number, (file, _) in enumerate(clips, 1):
                audio = store.add_audio(data / file)
                begun = time.monotonic()
                result: HearResult = tool.run(HearRequest(audio=audio), store)  # type: ignore[attr-defined]
                spent += time.monotonic() - begun
                mine.append(ranked(result))
                confident += bool(result.events)
                if tool.name == "hearing/light":
                    others["yamnet alone"].append(_yamnet(audio, store))
                    others["mn04 alone"].append(_mn04(audio, store))
                progress(number, len(clips))
        return Report(
            task="hear",
            profile="",
            data=data.name,
            items=len(clips),
            measures=tuple(_shares("", mine, wanted)),
            baselines=tuple(
                m for name, ids in others.items() if ids for m in _shares(f"{name}, ", ids, wanted)
            ),
            abstentions=len(clips) - confident,
            parse_failures=sum(not classes for classes in wanted),
            seconds_per_item=spent / max(1, len(clips)),
            tools=(
                ToolFacts(
                    role="hearing", name=tool.name, version=tool.version, weights_digest=tool.weights_digest
                ),
            ),
            notes=(
                "abstentions: clips without any confident event",
                "labels read as AudioSet classes",
                *left_out(len(listed) - len(clips), "clips"),
            ),
        )


def _shares(prefix: str, ids: list[list[str]], wanted: list[frozenset[str]]) -> list[Measure]:
    pairs = [(found, want) for found, want in zip(ids, wanted, strict=True) if want]
    return [
        proportion(f"{prefix}top-{top}", sum(hits(found, want, top) for found, want in pairs), len(pairs))
        for top in TOP
    ]


def _yamnet(audio: AudioRef, media: MediaSource) -> list[str]:
    """Returns the classes of YAMNet's mean over its windows, best first."""
    from deixis.tools.hearing.yamnet import class_ids, yamnet

    samples, length = media.samples(audio, 16_000), 15_600
    padded = np.pad(samples, (0, max(0, length - len(samples))))
    windows = np.stack([padded[at : at + length] for at in range(0, len(padded) - length + 1, length // 2)])
    scores = yamnet().scores(windows.astype(np.float32)).mean(axis=0)
    return [class_ids()[int(index)] for index in np.argsort(-scores)[:10]]


def _mn04(audio: AudioRef, media: MediaSource) -> list[str]:
    """Returns the classes of mn04 over the whole clip, best first."""
    from deixis.tools.hearing.mel import log_mel
    from deixis.tools.hearing.mn04 import class_ids, mn04

    samples = media.samples(audio, 32_000)
    picture = log_mel(np.pad(samples, (0, max(0, 32_000 - len(samples)))))
    scores = mn04().scores(picture[None])[0]
    return [class_ids()[int(index)] for index in np.argsort(-scores)[:10]]


def hear() -> Hear:
    """Returns the task."""
    return Hear()
