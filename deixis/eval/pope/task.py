"""``deixis eval pope``: is there an X? Through the question parser and the detector, as `ask` does it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deixis.errors import InputFault
from deixis.eval.data import read_json
from deixis.eval.pope.metric import Pair, measures
from deixis.eval.report import Measure, Report, ToolFacts
from deixis.graphs.rules.questions import parse
from deixis.store import Store
from deixis.tools.detection import GroundRequest, PhraseBoxes
from deixis.tools.toolbox import Toolbox

QUESTIONS = "images/coco_val/pope_style.json"
BARS = {"random": 0.83, "popular": 0.82, "adversarial": 0.81}
PLAIN = 0.35
"""Baseline: yes where the detector has a box above this score."""


@dataclass(frozen=True)
class Question:
    """A yes/no question about one photo."""

    file: str
    setting: str
    text: str
    truth: bool


def read_questions(data: Path) -> list[Question]:
    """Returns the questions of a data folder.

    Raises:
        InputFault: the file is missing or has another form.
    """
    try:
        return [
            Question(row["image"], row["setting"], row["text"], row["label"] == "yes")
            for row in read_json(data, QUESTIONS)
        ]
    except (KeyError, TypeError) as error:
        raise InputFault(
            "eval.data.damaged", f"{QUESTIONS} has another form ({error}).", "See docs/evaluation.md."
        ) from error


class Pope:
    """Accuracy, precision, recall, F1 and yes-rate for each way of sampling absent things."""

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns the figures per setting; a question that is not understood counts as 'no'."""
        questions = read_questions(data)
        detector = toolbox.need("detection")
        answers: dict[str, list[Pair]] = {}
        plain: dict[str, list[Pair]] = {}
        failures = abstentions = 0
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            images = {file: store.add_image(data / file) for file in dict.fromkeys(q.file for q in questions)}
            for number, question in enumerate(questions, 1):
                read = parse(question.text)
                understood = read.intent == "presence" and len(read.phrases) == 1
                failures += not understood
                seen: list[PhraseBoxes] = []
                for threshold in (None, PLAIN):
                    request = GroundRequest(
                        image=images[question.file], phrases=read.phrases[:1], threshold=threshold
                    )
                    result = detector.run(request, store)  # type: ignore[attr-defined]
                    seen += result.phrases or (PhraseBoxes(phrase="", status="not_covered"),)
                abstentions += seen[0].status == "not_covered"
                for kept, outcome in zip((answers, plain), seen, strict=True):
                    said = understood and outcome.status == "found"
                    kept.setdefault(question.setting, []).append((question.truth, said))
                progress(number, len(questions))
        return Report(
            task="pope",
            profile="",
            data=data.name,
            items=len(questions),
            measures=tuple(_all(answers, BARS)),
            baselines=tuple(_all(plain, {}, "box above .35, ")),
            abstentions=abstentions,
            parse_failures=failures,
            seconds_per_item=(time.monotonic() - begun) / max(1, len(questions)),
            tools=tuple(
                ToolFacts(
                    role="detection",
                    name=tool.name,
                    version=tool.version,
                    weights_digest=tool.weights_digest,
                )
                for tool in (detector, getattr(detector, "second", None))
                if tool is not None
            ),
            notes=("thresholds were chosen on coco_train_tune only",),
        )


def _all(answers: dict[str, list[Pair]], bars: dict[str, float], prefix: str = "") -> list[Measure]:
    return [
        measure
        for setting, pairs in answers.items()
        for measure in measures(f"{prefix}{setting}", pairs, bars.get(setting))
    ]


def pope() -> Pope:
    """Returns the task."""
    return Pope()
