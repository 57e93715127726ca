"""``python -m deixis.learned.pocket.eye.finish FOLDER``: a trained eye made ready to be shipped.

FOLDER holds eye.onnx and its card eye.json, as ``deixis train pocket --part eye`` writes them. The weights
are stored in 16 bits, and the limits that make claims of scores are chosen, on scenes of validation seeds:

- box: the best F1 of boxes with their names, at IoU .5;
- present: the lowest best score of a phrase at which at most `INVENTED` of the absent ones are found;
- tag: the best F1 of tags.

With ``--photos`` (evaluation data with images/coco_train_tune) a regression learns to tell photographs from
drawn scenes, both of several sizes, some stored as JPEG: what is scaled or coded must not tell them apart.
Its limit is the lowest that shuts out `SHUT_OUT` of the scenes or fewer, and at least `LEAST_STRANGE`.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deixis.errors import InputFault
from deixis.geometry import iou_matrix
from deixis.learned.pocket.eye.half import stored
from deixis.learned.publish import STORAGE, digest_of, write_files
from deixis.learned.world.categories import categories, fits
from deixis.learned.world.scenes import Scene, SceneSpec, scene
from deixis.tools.pocket.eye import SCENE_SIDE, Eye, Limits, Seen, sized
from deixis.tools.pocket.strangeness import FIGURES, NEVER, Strangeness, strangeness

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "eye.onnx"
VALIDATION_SEED, SCENES = 900_000, 400
PHOTOS = "images/coco_train_tune"
INVENTED = 0.01
SHUT_OUT = 0.01
RIGHT = 0.5
TRIED = np.round(np.arange(0.1, 0.901, 0.01), 2)
SIDES, SMALLER = (160, 320, 160, 480), (1.0, 0.5, 0.25)
"""Sides of the scenes, and sizes of the photographs, among which the regression is fitted."""
JPEG_EVERY, JPEG_QUALITIES = 3, range(60, 96, 5)
DECAY = 5e-3
"""Weight of the squared weights in the regression."""
LEAST_STRANGE = 0.9
"""The limit is at least this: drawings in a style of their own lie between, and the eye makes few claims of
photographs that it takes for drawn."""
Progress = Callable[[int, int], None]


class Sight(NamedTuple):
    """A scene's truth and what an eye sees of it."""

    truth: Scene
    seen: Seen


def finish(
    folder: Path,
    photos: Path | None = None,
    scenes: int = SCENES,
    progress: Progress = lambda _done, _all: None,
) -> dict[str, Any]:
    """Returns the eye's card after file and card of the folder were written anew, ready to be shipped.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
        InputFault: the folder holds no trained eye with its card, or cannot be written, or `photos` holds
            no photographs.
    """
    path, card_path = folder / NAME, folder / "eye.json"
    try:
        content, card = path.read_bytes(), json.loads(card_path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputFault(
            "train.eye.finish",
            f"{folder} holds no trained eye with its card: {error}",
            "Train one: deixis train pocket --part eye --out FOLDER",
        ) from error
    write_files(stored(content), card, path)
    eye = Eye(path)
    sights = []
    for number in range(scenes):
        truth = scene(VALIDATION_SEED + number)
        sights.append(Sight(truth, eye.see(truth.pixels)))
        progress(number + 1, scenes)
    limits, figures = chosen(sights)
    strange = NEVER
    if photos is not None:
        pictures = _photos(photos)
        strange, caught = regression(
            [_figures(one, eye) for one in drawn_scenes(scenes)], [_figures(one, eye) for one in pictures]
        )
        figures |= caught
    written = stored(content, limits, strange)
    card = {
        **card,
        "digest": digest_of(written),
        "bytes": len(written),
        "storage": STORAGE,
        "thresholds": {**limits._asdict(), "strange": round(strange.limit, 4)},
        "chosen_on": {"seeds": [VALIDATION_SEED, scenes], "photos": PHOTOS if photos else "", **figures},
    }
    write_files(written, card, path)
    return dict(card)


def chosen(sights: Sequence[Sight]) -> tuple[Limits, dict[str, float]]:
    """Returns the limits, and the figures that they reach on the scenes that they were chosen on."""
    box, box_f1 = best_f1(*_boxes(sights))
    tag, tag_f1 = best_f1(*_tags(sights))
    there, absent = _asked(sights)
    present = float(min(box, max(TRIED[0], np.quantile(absent, 1 - INVENTED))))
    limits = Limits(box=round(box, 3), present=round(present, 3), tag=round(tag, 3))
    return limits, {
        "box_f1": round(box_f1, 4),
        "tag_f1": round(tag_f1, 4),
        "present_found": round(float((there >= present).mean()), 4),
        "absent_left": round(float((absent < present).mean()), 4),
    }


def best_f1(scores: NDArray[np.float64], right: NDArray[np.bool_], total: int) -> tuple[float, float]:
    """Returns the limit among `TRIED` above which F1 is best, and it; `total` is how many are there."""
    curve = [2 * right[scores >= t].sum() / max(1, (scores >= t).sum() + total) for t in TRIED]
    best = int(np.argmax(curve))
    return float(TRIED[best]), float(curve[best])


def _boxes(sights: Sequence[Sight]) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    scores: list[float] = []
    right: list[bool] = []
    for truth, seen in sights:
        values, kinds = seen.best()
        overlap = iou_matrix(seen.boxes[seen.kept].astype(np.float64), truth.boxes.astype(np.float64))
        free = np.ones(len(truth.classes), bool)
        for row in np.argsort(-values, kind="stable"):
            fit = overlap[row] * free * (truth.classes == kinds[row])
            hit = bool(fit.size and fit.max() >= RIGHT)
            if hit:
                free[fit.argmax()] = False
            scores.append(float(values[row]))
            right.append(hit)
    return np.array(scores), np.array(right, bool), sum(len(one.truth.classes) for one in sights)


def _tags(sights: Sequence[Sight]) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    scores = np.stack([one.seen.tags for one in sights]).astype(np.float64)
    there = np.zeros(scores.shape, bool)
    for row, one in enumerate(sights):
        there[row, one.truth.classes] = True
    return scores.ravel(), there.ravel(), int(there.sum())


def _asked(sights: Sequence[Sight]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the best scores of names of what is there, and of what is absent beyond doubt."""
    of_name = [sorted(fits(thing.name)) for thing in categories()]
    there: list[float] = []
    absent: list[float] = []
    for truth, seen in sights:
        shown = set(truth.classes.tolist())
        chances = seen.sure[seen.usable, None] * seen.kinds[seen.usable]
        for kind, others in enumerate(of_name):
            score = float(chances[:, others].sum(axis=1).max(initial=0))
            if kind in shown:
                there.append(score)
            elif not shown & set(others):
                absent.append(score)
    return np.array(there), np.array(absent)


def drawn_scenes(count: int) -> Iterator[NDArray[np.uint8]]:
    """Yields scenes of several sizes, every third of them as it comes back from JPEG."""
    for number in range(count):
        spec = SceneSpec(side=SIDES[number % len(SIDES)])
        pixels = scene(VALIDATION_SEED + SCENES + number, spec).pixels
        if number % JPEG_EVERY == 0:
            pixels = _coded(pixels, JPEG_QUALITIES[number % len(JPEG_QUALITIES)])
        yield pixels


def _coded(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as image:
        return np.asarray(image.convert("RGB"))


def _figures(pixels: NDArray[np.uint8], eye: Eye) -> NDArray[np.float64]:
    """Returns the figures by which a picture is strange or not."""
    seen = eye.see(pixels)
    return strangeness(sized(pixels, SCENE_SIDE)[0], seen.sure[seen.kept], seen.kinds[seen.kept])


def regression(
    drawn: Sequence[NDArray[np.float64]], photos: Sequence[NDArray[np.float64]]
) -> tuple[Strangeness, dict[str, float]]:
    """Returns the regression that tells photographs from drawn scenes, and how well it does on odd ones.

    Both kinds count alike. It is fitted on all; `photos_told` and `scenes_shut_out` are by two halves, each
    judged by the regression and the limit of the other.
    """
    own, others = np.stack(drawn), np.stack(photos)
    rng = np.random.default_rng(0)
    own, others = rng.permutation(own), rng.permutation(others)
    halves = [fitted(own[k::2], others[k::2]) for k in (0, 1)]
    told = [_over(halves[1 - k], others[k::2]) for k in (0, 1)]
    shut = [_over(halves[1 - k], own[k::2]) for k in (0, 1)]
    return fitted(own, others), {
        "photos_told": round(float(np.concatenate(told).mean()), 4),
        "photos_n": len(others),
        "scenes_shut_out": round(float(np.concatenate(shut).mean()), 4),
    }


def fitted(drawn: NDArray[np.float64], photos: NDArray[np.float64]) -> Strangeness:
    """Returns the regression over figures (n, len(FIGURES)) by Newton's method, with its limit."""
    everything = np.concatenate([drawn, photos])
    centre, spread = everything.mean(axis=0), everything.std(axis=0) + 1e-6
    x = np.concatenate([(everything - centre) / spread, np.ones((len(everything), 1))], axis=1)
    y = np.concatenate([np.zeros(len(drawn)), np.ones(len(photos))])
    share = np.where(y > 0, 0.5 / len(photos), 0.5 / len(drawn))
    ridge = np.diag([DECAY] * len(FIGURES) + [1e-6])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (share * (p - y)) + ridge @ weights
        curvature = (x * (share * p * (1 - p))[:, None]).T @ x + ridge
        weights = weights - np.linalg.solve(curvature, slope)
    made = Strangeness(
        tuple(centre.tolist()), tuple(spread.tolist()), tuple(weights[:-1].tolist()), float(weights[-1]), 1.0
    )
    limit = float(np.quantile([made.chance(row) for row in drawn], 1 - SHUT_OUT))
    return replace(made, limit=max(LEAST_STRANGE, limit))


def _over(one: Strangeness, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.array([one.chance(row) >= one.limit for row in rows], bool)


def _photos(folder: Path) -> list[NDArray[np.uint8]]:
    """Returns the tuning photographs, a third of them in each of the sizes."""
    from PIL import Image, ImageOps

    paths = sorted((folder / PHOTOS).glob("*.jpg"))
    if not paths:
        raise InputFault(
            "train.eye.photos", f"{folder} holds no photographs in {PHOTOS}.", "Name the evaluation data."
        )
    found = []
    for number, path in enumerate(paths):
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
        smaller = SMALLER[number % len(SMALLER)]
        size = max(1, round(upright.width * smaller)), max(1, round(upright.height * smaller))
        found.append(np.asarray(upright.resize(size, Image.Resampling.BICUBIC)))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the card of the finished eye."""
    parser = argparse.ArgumentParser(
        prog="python -m deixis.learned.pocket.eye.finish",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="where deixis train pocket wrote eye.onnx and eye.json")
    parser.add_argument("--photos", type=Path, help="evaluation data with images/coco_train_tune")
    parser.add_argument("--scenes", type=int, default=SCENES, help="validation scenes to choose on")
    asked = parser.parse_args(arguments)
    print(json.dumps(finish(asked.folder, asked.photos, asked.scenes), indent=1))


if __name__ == "__main__":
    main()
