"""Episodes of real photos, and of photos with a sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deixis.errors import InputFault
from deixis.eval.agent.data import Episode, Seen, Split
from deixis.eval.match.data import PAIRS, read_pairs
from deixis.eval.photos import Photo, read_photos
from deixis.learned.scout.wording import QUESTIONS
from deixis.learned.world.questions import with_article
from deixis.tools.detection.coco import COCO_80
from deixis.tools.words.morphology import plural

LABELS = {"test": "images/coco_val/labels.json", "validation": "images/coco_train_tune/labels.json"}
LEAST_AREA = 0.02
"""Of the photo, that a thing which is asked for takes at least; labels of smaller ones are often missing."""
MOST_COUNTED = 5
TASKS = ("where", "presence", "absent", "count")


def episodes(data: Path, count: int, split: Split) -> Iterator[Episode]:
    """Yields at most `count` episodes: pairs of a photo and a sound (test only) and photos, by turns.

    Raises:
        InputFault: the folder has neither.
    """
    pairs = list(_pairs(data)) if split == "test" and (data / PAIRS).is_file() else []
    photos = list(_photos(data, split)) if (data / LABELS[split]).is_file() else []
    if not pairs and not photos:
        raise InputFault(
            "eval.data.missing",
            f"{data} has neither {PAIRS} nor {LABELS[split]}.",
            "Name another folder; its layout is described in docs/evaluation.md.",
        )
    rows = [(number / len(part), one) for part in (pairs, photos) for number, one in enumerate(part)]
    for _, one in sorted(rows, key=lambda row: row[0])[:count]:
        yield one


def _pairs(data: Path) -> Iterator[Episode]:
    for number, one in enumerate(read_pairs(data)):
        yield Episode(
            id=f"pair-{number} {one.image} {one.audio}",
            kind="photo pair",
            task="sound_source",
            question="What is making the sound?",
            value="matched" if one.match else "unmatched",
            absence="" if one.match else "unrelated_sound",
            world=False,
            pictures=(data / one.image,),
            sounds_at=(data / one.audio,),
        )


def _photos(data: Path, split: Split) -> Iterator[Episode]:
    for number, photo in enumerate(read_photos(data, LABELS[split])):
        rng = np.random.default_rng([number, 73])
        for task in rng.permutation(TASKS):
            made = _asked(photo, str(task), rng)
            if made is not None:
                yield made
                break


def _asked(photo: Photo, task: str, rng: np.random.Generator) -> Episode | None:
    """Returns the episode of a task about a photo; None where the photo does not allow it."""
    many = Counter(name for name, _ in photo.boxes)
    least = LEAST_AREA * photo.size.area
    large = {name for name in many if all(box.area >= least for other, box in photo.boxes if other == name)}
    names = sorted(large)
    if task == "where":
        names = [name for name in names if many[name] == 1]
    elif task == "count":
        names = [name for name in names if many[name] <= MOST_COUNTED]
    elif task == "absent":
        names = [name for name in COCO_80 if name not in many]
    if not names:
        return None
    name = names[int(rng.integers(len(names)))]
    asked = {
        "where": QUESTIONS["where"][0].format(name=name),
        "presence": QUESTIONS["presence"][0].format(a=with_article(name)),
        "absent": QUESTIONS["presence"][0].format(a=with_article(name)),
        "count": QUESTIONS["count"][0].format(plural=plural(name)),
    }
    meant = tuple(k for k, (other, _) in enumerate(photo.boxes) if other == name)
    return Episode(
        id=f"photo {photo.file} {task} {name}",
        kind="photo",
        task="presence" if task == "absent" else task,
        question=asked[task],
        value={"where": "", "presence": "yes", "absent": "no", "count": str(many[name])}[task],
        absence="absent" if task == "absent" else "",
        things=tuple(Seen(other, box) for other, box in photo.boxes),
        meant=meant if task != "absent" else (),
        denied=(name,) if task == "absent" else (),
        world=False,
        pictures=(photo.path,),
    )
