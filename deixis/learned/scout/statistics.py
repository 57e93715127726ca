"""Numbers about samples: how many of what, how long, where the boxes are, what was rejected and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import Field

from deixis.geometry import Frozen
from deixis.learned.scout.sample import Sample

AREAS = (0.01, 0.04, 0.1, 0.25, 0.5, 1.0)
"""Upper ends of the bins of box area, in shares of the picture."""
RELATIONS = ("left of", "right of", "above", "below")
TABLES = (
    "tasks", "media", "absences", "splits", "steps_per_sample", "step_kinds", "calls", "boxes_per_step",
    "box_area", "relations", "makers", "versions",
)  # fmt: skip
SUMS = ("samples", "yes", "no", "steps", "calls_failed", "spans", "boxes", "times")
_WORD = re.compile(r"[\w']+")


class ScoutStatistics(Frozen):
    """The report. Tables count; keys are in the order of the alphabet, of size where they are numbers."""

    version: int = 1
    samples: int = 0
    pictures: int = Field(default=0, description="different ones, by digest")
    sounds: int = 0
    tasks: dict[str, int] = {}
    media: dict[str, int] = Field(default={}, description="samples by kinds of media: image, audio, both")
    absences: dict[str, int] = {}
    absence_share: float = 0.0
    splits: dict[str, int] = {}
    yes: int = 0
    no: int = 0
    yes_rate: float = Field(default=0.0, description="of the samples answered yes or no")
    steps: int = 0
    steps_per_sample: dict[str, int] = {}
    step_kinds: dict[str, int] = {}
    calls: dict[str, int] = Field(default={}, description="by role")
    calls_failed: int = 0
    spans: int = 0
    boxes: int = 0
    times: int = 0
    boxes_per_step: dict[str, int] = {}
    box_area: dict[str, int] = Field(default={}, description="boxes by share of their picture's area")
    relations: dict[str, int] = Field(default={}, description="samples whose question names the relation")
    questions: int = Field(default=0, description="different ones")
    words: int = Field(default=0, description="of all steps")
    vocabulary: int = Field(default=0, description="different words of questions and steps")
    makers: dict[str, int] = {}
    versions: dict[str, int] = Field(default={}, description="samples by tool and version")
    rejected: int = 0
    rejected_by_rule: dict[str, int] = {}


def statistics(
    samples: Iterable[Sample], rejected: int = 0, rejected_by_rule: Mapping[str, int] | None = None
) -> ScoutStatistics:
    """Returns the numbers of these samples, read once, with what was rejected before."""
    tables: dict[str, Counter[str]] = {name: Counter() for name in TABLES}
    sums: Counter[str] = Counter()
    media: dict[str, set[str]] = {"image": set(), "audio": set()}
    questions: set[str] = set()
    vocabulary: set[str] = set()
    for sample in samples:
        sums["samples"] += 1
        _count_facts(sample, tables, sums, media)
        questions.add(sample.question)
        vocabulary.update(_words(sample.question))
        for step in sample.steps:
            words = _words(step.text)
            sums["words"] += len(words)
            vocabulary.update(words)
        _count_steps(sample, tables, sums)
    total, decided = sums["samples"], sums["yes"] + sums["no"]
    return ScoutStatistics(
        **{key: sums[key] for key in SUMS},
        **{name: _sorted(table) for name, table in tables.items()},
        pictures=len(media["image"]),
        sounds=len(media["audio"]),
        absence_share=round(sum(tables["absences"].values()) / total, 4) if total else 0.0,
        yes_rate=round(sums["yes"] / decided, 4) if decided else 0.0,
        questions=len(questions),
        words=sums["words"],
        vocabulary=len(vocabulary),
        rejected=rejected,
        rejected_by_rule=dict(sorted((rejected_by_rule or {}).items())),
    )


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _sorted(table: Counter[str]) -> dict[str, int]:
    return {key: table[key] for key in sorted(table, key=lambda key: (not key.isdigit(), key.zfill(6)))}


def _count_facts(
    sample: Sample, tables: dict[str, Counter[str]], sums: Counter[str], media: dict[str, set[str]]
) -> None:
    kinds = {medium.kind for medium in sample.media}
    tables["media"]["both" if len(kinds) == 2 else next(iter(kinds), "none")] += 1
    tables["tasks"][sample.task] += 1
    tables["splits"][sample.split] += 1
    tables["makers"][sample.maker] += 1
    if sample.absence:
        tables["absences"][sample.absence] += 1
    if sample.value in ("yes", "no"):
        sums[sample.value] += 1
    for name, version in sample.versions.items():
        tables["versions"][f"{name} {version}"] += 1
    for medium in sample.media:
        media[medium.kind].add(medium.digest)
    for relation in RELATIONS:
        if f" {relation} " in f" {sample.question} ":
            tables["relations"][relation] += 1


def _count_steps(sample: Sample, tables: dict[str, Counter[str]], sums: Counter[str]) -> None:
    areas = {medium.digest: medium.size.area for medium in sample.images}
    only = next(iter(areas.values())) if len(areas) == 1 else 0
    sums["steps"] += len(sample.steps)
    tables["steps_per_sample"][str(len(sample.steps))] += 1
    for step in sample.steps:
        tables["step_kinds"][step.kind] += 1
        tables["calls"].update(action.role for action in step.actions)
        sums["calls_failed"] += sum(seen.output is None for seen in step.observations)
        boxes = [(box, areas.get(span.media, only)) for span in step.spans for box in span.boxes]
        tables["boxes_per_step"][str(len(boxes))] += 1
        sums["spans"] += len(step.spans)
        sums["boxes"] += len(boxes)
        sums["times"] += sum(len(span.times) for span in step.spans)
        for box, area in boxes:
            if area:
                share = box.area / area
                tables["box_area"][f"<= {next((end for end in AREAS if share <= end), AREAS[-1]):g}"] += 1
