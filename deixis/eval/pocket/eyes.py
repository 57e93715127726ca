"""What the eye's tools see of test scenes: tags, boxes of phrases, absent things, words never trained."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deixis.eval.pocket.styles import STYLES, asked, clustered, mean
from deixis.eval.report import Measure, bootstrap
from deixis.geometry import Box, iou_matrix
from deixis.learned.pocket.eye.measure import average_precision
from deixis.learned.world.categories import categories, fits
from deixis.learned.world.questions import absent_words, phrases
from deixis.learned.world.scenes import TEST_SEEDS, Scene, scene
from deixis.store import Store
from deixis.tools.detection import GroundRequest, PhraseBoxes
from deixis.tools.tagging import TagRequest

if TYPE_CHECKING:
    from deixis.tools.toolbox import Toolbox

SCENES = {"in style": 600, "unseen style": 300}
TAGGING_BARS = {"in style": 0.95, "unseen style": 0.60}
GROUNDING_BARS = {"in style": 0.92, "unseen style": 0.55}
ABSENT_BARS = {"in style": 0.97, "unseen style": 0.90}
HELD_OUT_BARS = {"in style": 0.80, "unseen style": None}
ABSENT = 8
"""Absent words asked of a scene, half of them names, half of them synonyms."""
FAINT = 0.005
RIGHT = 0.5
ROUNDS = 200


class Line(NamedTuple):
    """Of one category in one scene: how many things its name is true of, and its boxes' scores and truth."""

    true: int
    scores: tuple[float, ...]
    right: tuple[bool, ...]


class Looked(NamedTuple):
    """What the tools make of one scene, with c categories.

    `tags` (c,): scores; `shown` (c,): the truth. `lines`: by category, where there is something to count.
    `nothing`: of each absent word whether nothing was found. `held_out`: of each word never trained, whether
    the best box is on the thing.
    """

    tags: Any
    shown: Any
    lines: dict[int, Line]
    nothing: tuple[bool, ...]
    held_out: tuple[tuple[str, bool], ...]


def eyes(
    toolbox: Toolbox,
    data: Path,
    progress: Callable[[int, int], None],
    scenes: dict[str, int] | None = None,
) -> list[Measure]:
    """Returns tagging mAP, AP50 of phrases, absent phrases left alone, held-out words grounded, by style.

    A mean average precision is over the categories that occur. A category's name is asked for as a phrase
    and counts as true of all it may be said of, "bird" of owls too; intervals are over scenes.
    """
    detector, tagger = toolbox.need("detection"), toolbox.need("tagging")
    counts = scenes or SCENES
    total, done = sum(counts[style] for style in STYLES), 0
    found: list[Measure] = []
    for style, spec in STYLES.items():
        looked = []
        with tempfile.TemporaryDirectory(prefix="deixis-pocket-") as folder:
            store = Store(Path(folder))
            for seed in TEST_SEEDS[: counts[style]]:
                looked.append(look(detector, tagger, scene(seed, spec), store))
                done += 1
                progress(done, total)
        nothing = [one.nothing for one in looked]
        words = [[right for _, right in one.held_out] for one in looked]
        found += [
            bootstrap(f"tagging mAP, {style}", looked, tagging, TAGGING_BARS[style], ROUNDS),
            bootstrap(f"phrases AP50, {style}", looked, grounding, GROUNDING_BARS[style], ROUNDS),
            clustered(f"absent phrases left alone, {style}", nothing, mean, ABSENT_BARS[style]),
            clustered(f"words never trained, grounded, {style}", words, mean, HELD_OUT_BARS[style]),
        ]
        if style == "in style":
            found.append(by_word(looked))
    return found


def look(detector: Any, tagger: Any, one: Scene, store: Store) -> Looked:
    """Returns what the tools make of a scene."""
    image = store.add_image(one.pixels)
    names = [thing.name for thing in categories()]
    tags = asked(tagger, TagRequest(image=image, threshold=0.0, top=1000), store).tags
    score_of = {tag.label: tag.score.value for tag in tags}
    shown = np.isin(np.arange(len(names)), one.classes)
    faint = asked(detector, GroundRequest(image=image, phrases=tuple(names), threshold=FAINT), store)
    lines = {}
    for kind, answer in enumerate(faint.phrases):
        made = line(answer, one, kind)
        if made.true or made.scores:
            lines[kind] = made
    rng = np.random.default_rng(one.seed)
    absent = _absent(one, rng)
    held_out = phrases(one, "held_out")
    wanted = (*absent, *(word for word, _ in held_out))
    answers = asked(detector, GroundRequest(image=image, phrases=wanted), store).phrases
    return Looked(
        tags=np.array([score_of.get(name, 0.0) for name in names]),
        shown=shown,
        lines=lines,
        nothing=tuple(answer.status != "found" for answer in answers[: len(absent)]),
        held_out=tuple(
            (word, _on(answer, one, things))
            for (word, things), answer in zip(held_out, answers[len(absent) :], strict=True)
        ),
    )


def line(answer: PhraseBoxes, one: Scene, kind: int) -> Line:
    """Returns which boxes of a category's name are right, best first; each thing is found once.

    A box on a thing that the word is said of loosely ("girl" of a person) is neither right nor wrong.
    """
    own, loose = _meant(kind)
    things = [number for number, other in enumerate(one.classes) if int(other) in own]
    maybe = [number for number, other in enumerate(one.classes) if int(other) in loose]
    free = np.ones(len(things), bool)
    scores: list[float] = []
    right: list[bool] = []
    found = np.array([detection.box.xyxy_px for detection in answer.detections]).reshape(-1, 4)
    fit = iou_matrix(found, one.boxes[things].astype(np.float64).reshape(-1, 4))
    fit_loose = iou_matrix(found, one.boxes[maybe].astype(np.float64).reshape(-1, 4))
    for row, detection in enumerate(answer.detections):
        left = fit[row] * free
        hit = bool(left.size and left.max() >= RIGHT)
        if hit:
            free[left.argmax()] = False
        elif fit_loose[row].max(initial=0) >= RIGHT:
            continue
        scores.append(detection.score.value)
        right.append(hit)
    return Line(len(things), tuple(scores), tuple(right))


@cache
def _meant(kind: int) -> tuple[frozenset[int], frozenset[int]]:
    """Returns the categories that the name of one is true of, and those it is true of at times."""
    name = categories()[kind].name
    own = frozenset({kind} | {number for number, one in enumerate(categories()) if name in one.broader})
    return own, fits(name) - own


def tagging(looked: Sequence[Any]) -> float:
    """Returns the mean over the categories that occur of the average precision of their tags."""
    scores, shown = (np.stack([getattr(one, name) for one in looked]) for name in ("tags", "shown"))
    occurring = np.flatnonzero(shown.any(axis=0))
    if not len(occurring):
        return 0.0
    each = []
    for kind in occurring:
        said = scores[:, kind] > 0  # what a tagger does not say at all has no place in its ranking
        true = int(shown[:, kind].sum())
        each.append(average_precision(scores[said, kind], shown[said, kind], true))
    return float(np.mean(each))


def grounding(looked: Sequence[Any]) -> float:
    """Returns the mean over the categories that occur of the AP at IoU .5 of their names' boxes."""
    each = []
    for kind in range(len(categories())):
        own = [one.lines[kind] for one in looked if kind in one.lines]
        true = sum(one.true for one in own)
        if true:
            scores = np.array([score for one in own for score in one.scores])
            right = np.array([hit for one in own for hit in one.right], bool)
            each.append(average_precision(scores, right, true))
    return float(np.mean(each)) if each else 0.0


def by_word(looked: Sequence[Looked]) -> Measure:
    """Returns the share of the words never trained that are grounded in at least half of their scenes."""
    asked_of: Counter[str] = Counter(word for one in looked for word, _ in one.held_out)
    right: Counter[str] = Counter(word for one in looked for word, hit in one.held_out if hit)
    each = [right[word] * 2 >= count for word, count in sorted(asked_of.items())]
    return bootstrap("words never trained, each in half of its scenes", each, mean, 0.80)


def _absent(one: Scene, rng: np.random.Generator) -> tuple[str, ...]:
    every = absent_words(one)
    names = {thing.name for thing in categories()}
    halves = [word for word in every if word in names], [word for word in every if word not in names]
    return tuple(word for words in halves for word in _some(words, ABSENT // 2, rng))


def _some(words: list[str], count: int, rng: np.random.Generator) -> Iterator[str]:
    for row in rng.permutation(len(words))[:count]:
        yield words[int(row)]


def _on(answer: PhraseBoxes, one: Scene, things: Sequence[int]) -> bool:
    if not answer.detections:
        return False
    box = answer.detections[0].box
    return any(box.iou(Box.of(one.boxes[thing].tolist())) >= RIGHT for thing in things)
