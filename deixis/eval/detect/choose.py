"""``python -m deixis.eval.detect.choose FOLDER``: the limits of the detectors, chosen on tuning photos.

FOLDER has the layout of the evaluation data; only ``images/coco_train_tune`` is read. For each detector,
and for pairs of them, it prints

- the score above which a box is listed: the best F1 of boxes at IoU .5;
- the score above which a thing asked for is present: the best accuracy on POPE-style questions in their
  hardest setting, after smoothing over neighbouring scores, since 46 photos make a jagged curve.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deixis import registry
from deixis.eval.photos import Photo, read_photos
from deixis.eval.pope.sampling import SETTINGS, accuracy, weights
from deixis.geometry import iou_matrix
from deixis.store import Store
from deixis.tools.detection import Detection, GroundRequest
from deixis.tools.detection.closed import ClosedDetector
from deixis.tools.detection.presence import together

if TYPE_CHECKING:
    from numpy.typing import NDArray

DETECTORS = ("deimv2-femto", "deimv2-atto", "yolox-nano", "picodet-s")
LABELS = "images/coco_train_tune/labels.json"
ODDS = np.arange(-4.0, 1.51, 0.05)
"""Log-odds that are tried as limits: scores of .018 to .82."""
SMOOTH = 3.0
"""Standard deviation of the smoothing in steps of `ODDS`."""


def smoothed(curve: NDArray[np.float64], spread: float = SMOOTH) -> NDArray[np.float64]:
    """Returns the curve averaged with its neighbours by Gaussian weights; the ends are held."""
    reach = int(2 * spread)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    padded = np.pad(curve, reach, mode="edge")
    result: NDArray[np.float64] = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return result


def presence_limit(sure: NDArray[np.float64], truth: NDArray[np.bool_]) -> tuple[float, dict[str, float]]:
    """Returns the limit that is best in the hardest setting, and the accuracy of each setting there."""
    asked = weights(truth)
    limits = 1 / (1 + np.exp(-ODDS))
    curves = {
        setting: smoothed(np.array([accuracy(sure, truth, asked[setting], limit) for limit in limits]))
        for setting in SETTINGS
    }
    best = int(np.min(list(curves.values()), axis=0).argmax())
    return float(limits[best]), {setting: float(curve[best]) for setting, curve in curves.items()}


def box_limit(found: Sequence[Sequence[Detection]], photos: Sequence[Photo]) -> tuple[float, float]:
    """Returns the score above which listed boxes have the best F1 at IoU .5, and that F1."""
    scores: list[float] = []
    right: list[bool] = []
    for detections, photo in zip(found, photos, strict=True):
        left = list(photo.boxes)
        for detection in detections:  # best first, as tools give them
            same = [i for i, (name, _) in enumerate(left) if name == detection.name]
            boxes = np.array([left[i][1].xyxy_px for i in same]).reshape(-1, 4)
            overlap = iou_matrix(np.array([detection.box.xyxy_px]), boxes)[0]
            hit = bool(overlap.size and overlap.max() >= 0.5)
            if hit:
                left.pop(same[int(overlap.argmax())])
            scores.append(detection.score.value)
            right.append(hit)
    truths = sum(len(photo.boxes) for photo in photos)
    limits = np.arange(0.1, 0.71, 0.01)
    values, hits = np.array(scores), np.array(right, dtype=bool)
    curve = np.array([2 * hits[values >= t].sum() / ((values >= t).sum() + truths) for t in limits])
    best = int(smoothed(curve).argmax())
    return float(limits[best]), float(curve[best])


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the limits of each detector and pair."""
    parser = argparse.ArgumentParser(prog="python -m deixis.eval.detect.choose", description=__doc__)
    parser.add_argument("folder", type=Path, help="evaluation data with images/coco_train_tune")
    photos = read_photos(parser.parse_args(arguments).folder, LABELS)
    sure: dict[str, NDArray[np.float64]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        images = [store.add_image(photo.path) for photo in photos]
        for name in DETECTORS:
            tool = registry.tools.create(f"detection/{name}", second="")
            if not isinstance(tool, ClosedDetector):
                continue
            truth = np.array([[n in {said for said, _ in p.boxes} for n in tool.names] for p in photos])
            sure[name] = np.array([tool.presence(image, store) for image in images])
            requests = [GroundRequest(image=image, everything=True, threshold=0.1) for image in images]
            limit, f1 = box_limit([tool.run(request, store).everything for request in requests], photos)
            print(f"{name}: box {limit:.2f} (F1 {f1:.3f}, {len(photos)} photos)")
    busy = int((truth.sum(axis=1) >= 3).sum())
    pairs = [(a, b) for i, a in enumerate(DETECTORS) for b in DETECTORS[i + 1 :]]
    for names, values in [((n,), sure[n]) for n in DETECTORS] + [
        (pair, together(sure[pair[0]], sure[pair[1]])) for pair in pairs
    ]:
        limit, right = presence_limit(values, truth)
        figures = ", ".join(f"{setting} {value:.3f}" for setting, value in right.items())
        print(f"{' + '.join(names)}: present {limit:.3f} ({figures}; {busy} photos)")


if __name__ == "__main__":
    main()
