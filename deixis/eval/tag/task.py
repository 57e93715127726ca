"""``deixis eval tag``: is the picture named for what it shows?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import DeixisError, InputFault
from deixis.eval.photos import read_photos
from deixis.eval.report import Measure, Report, ToolFacts, proportion
from deixis.eval.tag.data import Subject, read_subjects
from deixis.eval.tag.metric import Names, Said, hit, reached, scene_measures
from deixis.store import Store
from deixis.tools.detection.coco import COCO_80
from deixis.tools.tagging import Tag, TagRequest
from deixis.tools.tagging.kinds import kinds_of

if TYPE_CHECKING:
    from deixis.tools.protocol import Tool
    from deixis.tools.toolbox import Toolbox

FINE = "imagenet"
"""Source of tags that are names of ImageNet, where the tagger joins several networks."""


class TagTask:
    """Subjects of single pictures by name and by kind; things of scenes among COCO's names."""

    def run(self, data: Path, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns accuracies over images/imagenet, and precision over images/coco_val where it is there."""
        tagger: Tool = toolbox.need("tagging")
        subjects = read_subjects(data)
        photos, missing = _photos(data)
        total = len(subjects) + len(photos)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            look = _Look(tagger, Store(Path(folder)))
            named = []
            for number, subject in enumerate(subjects, 1):
                named.append((subject, look.all_names(subject.path), look.confident(subject.path)))
                progress(number, total)
            scenes = []
            for number, (path, truth) in enumerate(photos, len(subjects) + 1):
                scenes.append((reached(look.confident(path), COCO_80), truth))
                progress(number, total)
        return Report(
            task="tag",
            profile="",
            data=data.name,
            items=total,
            measures=(*_subject_measures(named), *(scene_measures(scenes, (1, 3)) if scenes else ())),
            baselines=_baselines(named),
            abstentions=sum(not said for _, _, said in named) + sum(not said for said, _ in scenes),
            seconds_per_item=(time.monotonic() - begun) / max(1, total),
            tools=(
                ToolFacts(
                    role="tagging",
                    name=tagger.name,
                    version=tagger.version,
                    weights_digest=tagger.weights_digest,
                ),
            ),
            notes=("the sample pictures of ImageNet are likely among its training pictures", *missing),
        )


class _Look:
    """Asks the tagger."""

    def __init__(self, tagger: Any, store: Store) -> None:
        self._tagger, self._store = tagger, store

    def _tags(self, path: Path, **options: Any) -> tuple[Tag, ...]:
        request = TagRequest(image=self._store.add_image(path), **options)
        tags: tuple[Tag, ...] = self._tagger.run(request, self._store).tags
        return tags

    def all_names(self, path: Path) -> Said:
        """Returns all names of a picture, best first; those of the fine network where there is one."""
        tags = self._tags(path, threshold=0.0, top=1000)
        fine = [tag for tag in tags if tag.source == FINE]
        return [frozenset({tag.label}) for tag in fine or tags]

    def confident(self, path: Path) -> Said:
        """Returns the tags over the tool's own thresholds, each with its kinds."""
        return [frozenset({tag.label, *tag.kinds}) for tag in self._tags(path)]


def _photos(data: Path) -> tuple[list[tuple[Path, Names]], tuple[str, ...]]:
    """Returns the labelled scenes with the names in them, and what is missing in words."""
    try:
        photos = read_photos(data)
    except InputFault as error:
        if error.code != "eval.data.missing":
            raise
        return [], ("no scenes: images/coco_val/labels.json is not there",)
    return [(photo.path, frozenset(name for name, _ in photo.boxes)) for photo in photos], ()


def truth_of(name: str) -> Names:
    """Returns the names that are right for a class of ImageNet: its own and its kinds."""
    return frozenset({name, *kinds_of(name, _row(name))})


def _row(name: str) -> int | None:
    from deixis.tools.tagging.light import imagenet_names

    try:
        names = imagenet_names()
    except DeixisError:
        return None
    return names.index(name) if name in names else None


def _subject_measures(named: Iterable[tuple[Subject, Said, Said]]) -> list[Measure]:
    rows = list(named)
    fine = {top: sum(hit(said, {one.name}, top) for one, said, _ in rows) for top in (1, 5)}
    right = sum(hit(said, truth_of(one.name), 1) for one, _, said in rows)
    any_right = sum(hit(said, truth_of(one.name), 3) for one, _, said in rows)
    return [
        proportion("class top-1", fine[1], len(rows)),
        proportion("class top-5", fine[5], len(rows)),
        proportion("kind, best confident tag", right, len(rows)),
        proportion("kind, three best confident tags", any_right, len(rows)),
    ]


def _baselines(named: Iterable[tuple[Subject, Said, Said]]) -> tuple[Measure, ...]:
    """Returns what one would reach by always saying the commonest kind of these pictures."""
    rows = [truth_of(one.name) for one, _, _ in named]
    counts = {name: sum(name in truth for truth in rows) for truth in rows for name in truth}
    most = max(counts.values(), default=0)
    return (proportion("kind, always the commonest", most, len(rows)),)


def tag() -> TagTask:
    """Returns the task."""
    return TagTask()
