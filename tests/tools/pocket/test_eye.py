"""The eye's inference: one pass, boxes in the picture's own pixels, vectors, files that are none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.geometry import Box
from deixis.tools.pocket.eye import FACTS, KEPT, Eye, eye, laid_out
from deixis.tools.pocket.strangeness import FIGURES, NEVER, Strangeness, strangeness
from deixis.tools.pocket.words import words
from tests.tools.pocket.eyes import KINDS, LIMITS, colour_eye, drawn

pytest.importorskip("torch")
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def simple(tmp_path_factory):
    return colour_eye(tmp_path_factory.mktemp("eye") / "eye.onnx")


@pytest.fixture(scope="module")
def sight(simple):
    return Eye(simple)


def test_the_file_says_its_kinds_and_limits(simple, sight):
    assert (sight.kinds, sight.limits, sight.strangeness) == (KINDS, LIMITS, NEVER)
    assert sight.names == ("dog", "cat", "car")
    assert sight.weights_digest.startswith("sha256:")
    assert eye(simple) is eye(simple), "a file is loaded once"


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(160, 160, 1), (160, 160, 4), (160, 112, 3), (96, 160, 2)]
)
def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(sight, width, height, scale):
    seen = sight.see(drawn([("dog", 36, 44), ("car", 68, 84)], width, height, scale))
    scores, kinds = seen.best()
    listed = {int(kinds[row]): Box.of(seen.boxes[seen.kept[row]]) for row in np.flatnonzero(scores > 0.5)}
    assert set(listed) == {0, 2}
    for kind, (x, y) in ((0, (36, 44)), (2, (68, 84))):
        truth = Box(x1=x - 20, y1=y - 20, x2=x + 20, y2=y + 20).scale(scale, scale)
        assert listed[kind].iou(truth) > 0.8


def test_the_same_pixels_are_looked_at_once_and_few_pictures_are_kept(simple):
    own = Eye(simple)
    pictures = [drawn([("dog", 20 + 8 * n, 60)]) for n in range(KEPT + 2)]
    first = own.see(pictures[0])
    assert own.see(pictures[0].copy()) is first
    own.vectors(pictures[0], [(0, 40, 40, 80)])
    assert own.passes == 1
    for picture in pictures[1:]:
        own.see(picture)
    assert own.see(pictures[-1]) is not first
    assert own.passes == KEPT + 2
    own.see(pictures[0])
    assert own.passes == KEPT + 3, "the oldest was forgotten"
    square, wide = np.zeros((20, 80, 3), np.uint8), np.zeros((80, 20, 3), np.uint8)
    assert own.see(square) is not own.see(wide), "the same bytes in another shape are another picture"


def test_vectors_of_boxes_are_those_of_the_things_in_them(sight):
    picture = drawn([("dog", 36, 44), ("car", 116, 116)], scale=3)
    found = sight.vectors(picture, [(48, 72, 168, 192), (290, 280, 420, 400), (0, 0, 480, 480)])
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-3)
    dog, car = words().vector("dog"), words().vector("car")
    assert found[0] @ dog > 0.99 and found[1] @ car > 0.99
    both = dog + car
    assert found[2] @ (both / np.linalg.norm(both)) > 0.99, "a box around all is the picture as a whole"
    assert sight.vectors(picture, []).shape == (0, 128)
    meanings = np.eye(len(sight.kinds), 128, dtype=np.float32)
    leaning = sight.vectors(picture, [(48, 72, 168, 192), (0, 0, 480, 480)], meanings)
    kinds = sight.see(picture).kinds[sight.see(picture).cells_of(np.array([[48.0, 72, 168, 192]]))[0]]
    moved = found[0] + (kinds @ meanings)[0]
    assert leaning[0] == pytest.approx(moved / np.linalg.norm(moved), abs=1e-5)
    assert leaning[1] == pytest.approx(found[2], abs=1e-6), "the picture as a whole is of no kind"
    assert np.isfinite(sight.vectors(picture, [(470, 0, 471, 1)])).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 1000), (700, 2), (33, 47)])
def test_pictures_of_any_shape_are_seen(sight, height, width):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    seen = sight.see(picture)
    assert np.isfinite(seen.boxes).all() and 0 <= seen.strange <= 1
    assert (seen.boxes[:, [0, 2]] <= width).all() and (seen.boxes[:, [1, 3]] <= height).all()
    assert (seen.boxes >= 0).all()
    assert laid_out(picture).shape[2] % 32 == 0


@pytest.mark.parametrize("content", [None, b"", b"no network"])
def test_what_is_no_eye_is_refused_with_the_cure(tmp_path, content):
    path = tmp_path / "mine.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFault, match=r"mine\.onnx is not an eye") as caught:
        eye(path)
    assert caught.value.code == "tools.pocket.eye"
    assert "deixis train pocket --part eye" in caught.value.cure


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("kinds", [["dog", "dogs", [], []]], "do not belong together"),
        ("limits", {"shadow": 0.3}, "unexpected"),
        ("strangeness", NEVER.as_json() | {"weights": [1.0]}, "figures"),
    ],
)
def test_an_eye_with_other_facts_is_refused(tmp_path, simple, key, value, why):
    import onnx

    model = onnx.load(simple)
    facts = json.loads(model.metadata_props[0].value) | {key: value}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {FACTS: json.dumps(facts)})
    path = tmp_path / "other.onnx"
    onnx.save(model, path)
    with pytest.raises(InputFault, match=why):
        eye(path)


def test_flat_colours_are_less_strange_than_noise():
    rng = np.random.default_rng(1)
    none = np.zeros(0, np.float32), np.zeros((0, 3), np.float32)
    flat, noise = (
        dict(zip(FIGURES, strangeness(picture, *none), strict=True))
        for picture in (drawn([("dog", 60, 60)]), rng.integers(0, 256, (160, 160, 3), np.uint8))
    )
    assert flat["flat"] > 0.9 > noise["flat"]
    assert flat["colours"] < noise["colours"] and flat["step"] < noise["step"]
    weights = tuple(-1.0 if name == "flat" else 0.0 for name in FIGURES)
    judge = Strangeness((0.5,) * len(FIGURES), (0.1,) * len(FIGURES), weights, 0.0, 0.5)
    chances = [judge.chance(np.array(list(one.values()))) for one in (flat, noise)]
    assert chances[0] < 0.1 and chances[1] > 0.9
    assert Strangeness.of(judge.as_json()) == judge
