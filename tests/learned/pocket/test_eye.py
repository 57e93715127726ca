"""The eye's training: whose cell is whose, that it learns, what is written, how limits are chosen."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.learned.pocket.eye import finish as finishing
from deixis.learned.pocket.eye.finish import best_f1, chosen, finish, fitted, regression
from deixis.learned.pocket.eye.half import kinds, stored
from deixis.learned.pocket.eye.measure import average_precision
from deixis.learned.pocket.eye.samples import Kept, Stream, assembled, batch, enlarged, side_at
from deixis.learned.world.categories import categories
from deixis.learned.world.scenes import SceneSpec, scene
from deixis.tools.pocket.eye import FACTS, OUTPUTS, SIDE, Eye, Kind, Limits, laid_out, sized
from deixis.tools.pocket.strangeness import FIGURES
from deixis.tools.pocket.words import words

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

KIND_VECTORS = np.eye(4, 128, dtype=np.float32)
NAMES = tuple(Kind(name, f"{name}s", (), ()) for name in ("dog", "cat", "car", "tree"))


def tiny(seed: int = 0):
    from deixis.learned.pocket.eye.network import build_network

    torch.manual_seed(seed)
    return build_network(KIND_VECTORS, "tiny")


def pictures(count: int, rng: np.random.Generator) -> list[Kept]:
    """Coloured squares on grey, their colour is their class."""
    colours = np.array([[230, 30, 30], [30, 230, 30], [30, 30, 230], [230, 230, 30]])
    made = []
    for _ in range(count):
        pixels = np.full((64, 64, 3), 128, np.uint8)
        x, y, side = (int(value) for value in rng.integers([0, 0, 20], [40, 40, 24]))
        kind = int(rng.integers(4))
        pixels[y : y + side, x : x + side] = colours[kind]
        box = np.array([[x, y, min(64, x + side), min(64, y + side)]], np.float32)
        made.append(Kept(pixels, box, np.array([kind])))
    return made


def test_a_small_network_learns_squares():
    from deixis.learned.pocket.eye.training import loss_of

    torch.set_num_threads(1)
    network = tiny().to(memory_format=torch.channels_last)
    one = assembled(pictures(24, np.random.default_rng(0)))
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3)
    losses = []
    for _ in range(90):
        optimizer.zero_grad()
        loss = loss_of(network, one, bfloat16=False)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.35 * losses[0]
    with torch.no_grad():
        seen = network(torch.from_numpy(one.pictures).float() / 127.5 - 1)
    best = seen.sure.argmax(1)
    rows = torch.arange(24)
    assert (seen.kinds[rows, best].argmax(1).numpy() == one.classes[:, 0]).mean() > 0.9
    tagged = seen.tags.argmax(1).numpy() == one.classes[:, 0]
    assert tagged.mean() > 0.9


def hand_made(boxes: list[list[float]], things: list[list[float]], chances: list[list[float]]):
    """Assigns the four cells of a 16 by 16 picture."""
    from deixis.learned.pocket.eye.assignment import assigned

    at = torch.tensor([[4.0, 4.0], [12.0, 4.0], [4.0, 12.0], [12.0, 12.0]])
    there = torch.ones(1, len(things), dtype=torch.bool)
    return assigned(
        at, torch.tensor([boxes]), torch.tensor([chances]), torch.tensor([things], dtype=torch.float32), there
    )


def test_a_cell_is_the_thing_s_whose_box_it_lies_in():
    left, right = [0.0, 0, 8, 16], [8.0, 0, 16, 16]
    found = hand_made([left, right, left, right], [left, right], [[0.5] * 4, [0.5] * 4])
    assert found.thing[0].tolist() == [0, 1, 0, 1]
    assert found.goodness[0].min() > 0.3


def test_a_thing_between_the_cells_has_the_nearest_one_and_a_cell_serves_one_thing():
    small = [0.0, 0, 3, 3]
    found = hand_made([small] * 4, [small], [[0.9] * 4])
    assert found.thing[0].tolist() == [0, -1, -1, -1]
    assert found.goodness[0, 0] == pytest.approx(1.0, abs=1e-4)
    whole = [0.0, 0, 16, 16]
    found = hand_made([whole] * 4, [whole, whole], [[0.9] * 4, [0.1] * 4])
    assert set(found.thing[0].tolist()) == {0}, "the thing that is named better"


def test_padding_gets_no_cell_and_better_boxes_are_to_be_surer():
    from deixis.learned.pocket.eye.assignment import assigned

    at = torch.tensor([[4.0, 8.0], [12.0, 8.0]])
    whole = [0.0, 0.0, 16.0, 16.0]
    boxes = torch.tensor([[whole, [0.0, 0.0, 16.0, 9.0]]])
    things = torch.tensor([[whole, [0.0, 0.0, 0.0, 0.0]]])
    found = assigned(at, boxes, torch.full((1, 2, 2), 0.5), things, torch.tensor([[True, False]]))
    assert found.thing[0].tolist() == [0, 0]
    assert found.goodness[0, 0] > 2 * found.goodness[0, 1]


def test_generalised_iou_is_iou_less_the_gap():
    from deixis.learned.pocket.eye.assignment import generalised_iou, iou

    a = torch.tensor([[0.0, 0, 2, 2], [0.0, 0, 2, 2], [0.0, 0, 1, 1]])
    b = torch.tensor([[0.0, 0, 2, 2], [1.0, 0, 3, 2], [3.0, 0, 4, 1]])
    assert iou(a, b).tolist() == pytest.approx([1, 1 / 3, 0])
    assert generalised_iou(a, b).tolist() == pytest.approx([1, 1 / 3, -0.5])


def test_half_of_a_batch_is_mirrored_with_its_boxes():
    rng = np.random.default_rng(5)
    kept = pictures(40, rng)
    made = batch(kept, np.random.default_rng(1))
    mirrored = 0
    for row, one in enumerate(kept):
        x1, y1, x2, y2 = (int(value) for value in made.boxes[row, 0])
        inside = made.pictures[row][:, y1:y2, x1:x2].astype(float)
        assert inside.std(axis=(1, 2)).max() < 3, "the box lies on the square"
        assert made.classes[row].tolist() == [int(one.classes[0])] + [-1] * 7
        mirrored += x1 != int(one.boxes[0, 0])
    assert 8 < mirrored < 32


def test_pictures_of_the_training_are_enlarged_as_the_eye_does_it_and_boxes_with_them():
    one = scene(1_000_000)
    shown = enlarged(assembled([Kept(one.pixels, one.boxes, one.classes)]), SIDE)
    by_eye, pixel = sized(one.pixels)
    assert np.abs(shown.pictures[0].transpose(1, 2, 0).astype(int) - by_eye).max() <= 1
    count = len(one.classes)
    assert np.allclose(shown.boxes[0, :count] * pixel[0], one.boxes, atol=1e-3)
    assert enlarged(shown, SIDE) is shown


def test_pictures_grow_while_an_eye_learns_up_to_the_size_that_it_will_see():
    rng = np.random.default_rng(0)
    early, late = ({side_at(share, rng) for _ in range(40)} for share in (0.0, 1.0))
    assert max(early) < max(late) == SIDE and min(early) < min(late)


def test_a_stream_shows_each_scene_about_three_times_and_goes_on_at_its_seed():
    asked: list[int] = []

    def draw(first):
        while True:
            asked.append(first)
            yield SimpleNamespace(pixels=first, boxes=first, classes=first)
            first += 1

    stream = Stream(draw, 100, most=50, uses=3.0)
    rng = np.random.default_rng(0)
    taken = [one.pixels for _ in range(60) for one in stream.take(12, rng)]
    assert asked == list(range(100, stream.next_seed))
    assert 2 < len(taken) / len(asked) < 3.2
    assert set(asked) <= set(taken), "none is drawn in vain"


def test_the_file_of_half_the_size_says_the_same():
    import onnxruntime

    from deixis.learned.pocket.eye.publish import mirrored, onnx_bytes

    network = tiny().eval()
    whole = onnx_bytes(network)
    half = stored(whole, named=NAMES)
    assert len(half) < 0.65 * len(whole)
    assert stored(half, named=NAMES) == half, "once is enough"
    pixels = np.random.default_rng(0).integers(0, 256, (96, 64, 3), np.uint8)
    given = laid_out(pixels)
    with torch.no_grad():
        expected = mirrored(network)(torch.from_numpy(given))
    for content in (whole, half):
        found = onnxruntime.InferenceSession(content).run(list(OUTPUTS), {"pictures": given})
        for name, value in zip(OUTPUTS, found, strict=True):
            assert np.abs(value - getattr(expected, name).numpy()).max() < 1e-2, name
        two = np.concatenate([given, given[..., ::-1]])
        for one, both in zip(
            found, onnxruntime.InferenceSession(content).run(list(OUTPUTS), {"pictures": two}), strict=True
        ):
            assert len(both) == 2 and np.abs(both[:1] - one).max() < 1e-3


def test_of_a_mirrored_picture_the_eye_says_the_mirrored_thing():
    from deixis.learned.pocket.eye.publish import mirrored

    network = tiny(3).eval()
    # New, it sees nothing but its biases: these weights tell left from right.
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    pictures = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (2, 3, 64, 96)).astype(np.float32))
    with torch.no_grad():
        one, other = mirrored(network)(pictures), mirrored(network)(pictures.flip(3))
        plain, back = network(pictures), network(pictures.flip(3))

    def turned(values):
        return values.reshape(2, 8, 12, -1).flip(2).reshape(values.shape)

    assert not torch.allclose(plain.sure, turned(back.sure), atol=1e-3)
    for name in ("sure", "kinds", "vectors"):
        assert torch.allclose(getattr(one, name), turned(getattr(other, name)), atol=1e-5), name
    for name in ("picture", "tags"):
        assert torch.allclose(getattr(one, name), getattr(other, name), atol=1e-5), name
    assert torch.allclose(one.sure, (plain.sure + turned(back.sure)) / 2, atol=1e-5)
    boxes = turned(other.boxes)
    assert torch.allclose(one.boxes[..., [1, 3]], boxes[..., [1, 3]], atol=1e-4)
    assert torch.allclose(one.boxes[..., [0, 2]], 96 - boxes[..., [2, 0]], atol=1e-4)
    assert torch.allclose(one.vectors.norm(dim=2), torch.ones(2, 96), atol=1e-5)


def test_words_that_no_training_sees_are_not_in_the_file():
    held_out = {word for one in categories() for word in one.held_out}
    said = {word for kind in kinds() for word in (kind.name, kind.plural, *kind.synonyms)}
    assert len(kinds()) == len(categories()) and len(held_out) >= 40
    assert not said & held_out


def sight(scores: list[float], truth: list[int]):
    """A scene with things side by side, and an eye whose boxes lie on them and are named rightly."""
    boxes = np.array([[20 * n, 0, 20 * n + 10, 10] for n in range(len(scores))], np.float32).reshape(-1, 4)
    sure = np.array(scores, np.float32)
    named = np.zeros((len(scores), len(categories())), np.float32)
    named[range(len(scores)), truth[: len(scores)]] = 1
    tags = np.zeros(len(categories()), np.float32)
    tags[truth[: len(scores)]] = sure
    rows = np.arange(len(scores))
    from deixis.tools.pocket.eye import Seen

    seen = Seen(boxes, sure, named, named, named, tags, rows, rows, 0.0)
    there = [kind for kind, score in zip(truth, scores, strict=True) if score > 0.5]
    own = boxes[[score > 0.5 for score in scores]]
    return finishing.Sight(SimpleNamespace(boxes=own, classes=np.array(there, np.int64)), seen)


def test_limits_lie_between_what_is_there_and_what_is_not():
    limits, figures = chosen([sight([0.9, 0.8, 0.4], [7, 9, 11]) for _ in range(5)])
    assert 0.4 < limits.box <= 0.8 and 0.4 < limits.tag <= 0.8
    assert limits.present <= limits.box
    assert figures["box_f1"] == figures["tag_f1"] == 1.0
    assert figures["present_found"] == 1.0


def test_the_best_f1_counts_what_was_missed():
    scores, right = np.array([0.9, 0.7, 0.5, 0.3]), np.array([True, True, False, False])
    limit, value = best_f1(scores, right, 2)
    assert 0.5 < limit <= 0.7 and value == 1.0
    assert best_f1(scores, right, 4)[1] == pytest.approx(4 / 6)


def test_average_precision_of_hand_made_rankings():
    scores = np.array([0.9, 0.8, 0.7])
    assert average_precision(scores, np.array([True, True, False]), 2) == 1.0
    assert average_precision(scores, np.array([False, True, True]), 2) == pytest.approx(2 / 3)
    assert average_precision(scores, np.array([True, False, False]), 2) == 0.5
    assert average_precision(np.zeros(0), np.zeros(0, bool), 3) == 0.0


def test_a_regression_tells_two_clouds_apart_and_shuts_few_out():
    rng = np.random.default_rng(0)
    drawn = rng.normal(0, 1, (200, len(FIGURES)))
    photos = rng.normal(0, 1, (60, len(FIGURES))) + 1.5
    made, figures = regression(list(drawn), list(photos))
    assert figures["photos_told"] > 0.8 and figures["scenes_shut_out"] < 0.05
    assert np.mean([made.chance(row) >= made.limit for row in drawn]) <= 0.02
    assert fitted(drawn, drawn).weights == pytest.approx((0,) * len(FIGURES), abs=1e-3)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    from PIL import Image

    from deixis.learned.pocket.eye.network import build_network
    from deixis.learned.pocket.eye.publish import onnx_bytes
    from deixis.learned.pocket.words import class_vectors

    folder = tmp_path_factory.mktemp("trained")
    torch.manual_seed(2)
    (folder / "eye.onnx").write_bytes(onnx_bytes(build_network(class_vectors(words()), "tiny")))
    (folder / "eye.json").write_text('{"name": "pocket eye", "digest": "sha256:before"}')
    photos = folder / "data" / finishing.PHOTOS
    photos.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(4):
        Image.fromarray(rng.integers(0, 256, (90, 120, 3), np.uint8)).save(photos / f"{number}.jpg")
    return folder, finish(folder, folder / "data", scenes=8)


def test_a_finished_eye_has_limits_kinds_and_its_own_digest(finished):
    from deixis.learned.pocket.ship import ship
    from deixis.tools.weights.digest import sha256_of

    folder, card = finished
    assert json.loads((folder / "eye.json").read_text()) == card
    assert card["digest"] == f"sha256:{sha256_of(folder / 'eye.onnx')}"
    eye = Eye(folder / "eye.onnx")
    assert eye.names == tuple(one.name for one in categories())
    told = card["thresholds"]
    assert Limits(told["box"], told["present"], told["tag"]) == eye.limits
    assert eye.strangeness.limit == pytest.approx(told["strange"], abs=1e-4)
    assert card["chosen_on"]["seeds"] == [900_000, 8] and card["chosen_on"]["photos_n"] == 4
    shown = eye.see(scene(900_000, SceneSpec(side=96)).pixels)
    assert shown.tags.shape == (len(categories()),)
    assert "eye.onnx" in ship(folder, folder / "package")["files"]


def test_finishing_again_changes_nothing(finished):
    folder, card = finished
    assert finish(folder, folder / "data", scenes=8) == card


def test_what_cannot_be_finished_is_refused(tmp_path, finished):
    with pytest.raises(InputFault, match="no trained eye") as caught:
        finish(tmp_path)
    assert "deixis train pocket --part eye" in caught.value.cure
    with pytest.raises(InputFault, match="no photographs"):
        finish(finished[0], tmp_path, scenes=4)


def test_facts_are_all_there_is_beside_the_weights():
    import onnx

    from deixis.learned.pocket.eye.publish import onnx_bytes

    model = onnx.load_from_string(stored(onnx_bytes(tiny()), named=NAMES))
    assert [one.key for one in model.metadata_props] == [FACTS]
