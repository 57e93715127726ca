"""The pocket embedder over stand-ins of eye, ear and words, and the shipped ones on a pair of the world."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.geometry import Box, TimeSpan
from deixis.tools.embedding import AudioPart, ImageRegion
from deixis.tools.embedding.pocket import LEAST_ACTIVITY, PocketEmbedder, sound_vector
from deixis.tools.pocket.ear import FRAME_S, Heard, ear
from tests.conformance.embedding import ask, check_embedder, cosine
from tests.tools.pocket.ears import tone, tone_ear
from tests.tools.pocket.present import needs_shipped

DIGEST = "sha256:" + "1" * 64


class Colours:
    """Stands for the eye: a region's vector is its mean colour."""

    weights_digest = DIGEST

    def __init__(self) -> None:
        self.looks: list[int] = []

    def vectors(self, pixels, boxes):
        self.looks.append(len(boxes))
        parts = [pixels[round(y1) : max(round(y1) + 1, round(y2)), round(x1) : max(round(x1) + 1, round(x2))]
                 for x1, y1, x2, y2 in boxes]  # fmt: skip
        return np.stack([part.reshape(-1, 3).mean(0) for part in parts]).astype(np.float32)


class Few:
    """Stands for the table of words."""

    dimension = 3
    known = {"dog": (1, 0, 0), "a dog": (1, 0, 0), "cat": (0, 3, 0)}

    def vector(self, phrase):
        found = self.known.get(phrase)
        return None if found is None else np.array(found, np.float32)


@pytest.fixture(scope="module")
def hearing(tmp_path_factory):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    return ear(tone_ear(tmp_path_factory.mktemp("ear") / "ear.onnx"))


@pytest.fixture
def tool(hearing):
    return PocketEmbedder(Colours(), hearing, Few())


@pytest.fixture
def image(store):
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, :100], pixels[:, 100:] = (250, 0, 0), (0, 250, 0)
    return store.add_image(pixels)


@pytest.fixture
def audio(store):
    return store.add_audio((tone(4.0, [(0.0, 1.0, 300), (2.0, 4.0, 3000)]), 16_000))


def test_it_keeps_the_promises_of_embedders(tool, store, image, audio):
    check_embedder(tool, store, image, audio)
    assert tool.weights_digest.startswith("sha256:")


def test_parts_of_a_picture_are_looked_at_where_they_are(tool, store, image):
    boxes = (None, Box.of((0, 0, 100, 100)), Box.of((100, 0, 200, 100)), Box.of((150, -50, 400, 50)))
    whole, left, right, over = ask(
        tool, store, images=[ImageRegion(image=image, box=box) for box in boxes]
    ).images
    assert left == pytest.approx((1, 0, 0), abs=0.01)
    assert right == pytest.approx((0, 1, 0), abs=0.01)
    assert over == pytest.approx((0, 1, 0), abs=0.01)
    assert whole == pytest.approx((0.707, 0.707, 0), abs=0.02)


def test_boxes_are_of_the_original_however_large_it_is(tool, store):
    pixels = np.zeros((900, 1800, 3), np.uint8)
    pixels[600:, 1200:] = (0, 0, 250)
    image = store.add_image(pixels)
    regions = [ImageRegion(image=image, box=Box.of((1300, 700, 1750, 880))), ImageRegion(image=image)]
    assert ask(tool, store, images=regions).images[0] == pytest.approx((0, 0, 1), abs=0.01)


def test_each_picture_is_looked_at_once(store, image, hearing):
    other = store.add_image(np.full((50, 50, 3), 90, np.uint8))
    eye = Colours()
    tool = PocketEmbedder(eye, hearing, Few())
    regions = [ImageRegion(image=one) for one in (image, other, image, other, image)]
    found = ask(tool, store, images=regions).images
    assert sorted(eye.looks) == [2, 3]
    assert found[0] == found[2] == found[4] != found[1] == found[3]


def test_parts_of_a_sound_are_what_is_heard_in_them(tool, store, audio):
    spans = [
        TimeSpan(start_s=0, end_s=0.9),
        TimeSpan(start_s=2.2, end_s=3.8),
        TimeSpan(start_s=1.2, end_s=1.8),
    ]
    low, high, pause = ask(tool, store, audios=[AudioPart(audio=audio, span=span) for span in spans]).audios
    assert low[0] > low[1]
    assert high[1] > high[0]
    assert pause is None, "nothing is heard there"
    assert ask(tool, store, audios=[AudioPart(audio=store.add_audio((np.zeros(16_000), 16_000)))]).audios == (
        None,
    )


def test_what_has_no_place_has_no_vector(tool, store, image):
    outside = ImageRegion(image=image, box=Box.of((300, 0, 400, 50)))
    found = ask(tool, store, texts=("zyzzyva", "dog", ""), images=(outside,))
    assert found.texts == (None, (1.0, 0.0, 0.0), None)
    assert found.images == (None,)


def test_frames_weigh_as_much_as_they_sound():
    activity = np.array([[0.9, 0.1], [LEAST_ACTIVITY - 0.01, 0.0], [0.1, 0.45]], np.float32)
    heard = Heard(activity, np.eye(3, dtype=np.float32))
    assert sound_vector(heard, None) == pytest.approx(np.array([2, 0, 1]) / 5**0.5, abs=1e-6)
    assert sound_vector(heard, TimeSpan(start_s=2 * FRAME_S, end_s=99)) == pytest.approx((0, 0, 1))
    assert sound_vector(heard, TimeSpan(start_s=FRAME_S, end_s=2 * FRAME_S)) is None
    assert sound_vector(None, None) is None


def test_the_digest_is_of_both_networks(hearing):
    class Other(Colours):
        weights_digest = "sha256:" + "2" * 64

    digests = {PocketEmbedder(eye(), hearing, Few()).weights_digest for eye in (Colours, Other)}
    assert len(digests) == 2


@needs_shipped("ear.onnx", "eye.onnx", "words.safetensors")
class TestShipped:
    """The networks in the package."""

    def test_they_keep_the_promises_of_embedders(self, store):
        from deixis.learned.world.pairs import pair
        from deixis.tools.embedding.pocket import pocket

        made = pair(3, relation="visible")
        audio = store.add_audio((made.clip.samples, 16_000))
        check_embedder(pocket(), store, store.add_image(made.scene.pixels), audio)

    def test_another_word_lies_nearer_than_another_thing(self, store):
        from deixis.tools.embedding.pocket import pocket

        dog, puppy, kitty, cat, car = ask(
            pocket(), store, texts=("dog", "puppy", "kitty", "cat", "car")
        ).texts
        assert cosine(dog, puppy) > max(cosine(dog, kitty), cosine(dog, car))
        assert cosine(cat, kitty) > max(cosine(cat, puppy), cosine(cat, car))

    def test_the_right_thing_is_nearest_to_a_sound(self, store):
        from deixis.eval.pocket.pairs import likeness
        from deixis.learned.world.pairs import pair
        from deixis.tools.embedding.pocket import pocket

        tool = pocket()
        pointed = [
            one
            for seed in range(400, 420)
            for one in likeness(tool, pair(seed, relation="visible"), store).pointed
        ]
        assert len(pointed) > 10
        assert np.mean(pointed) > 0.6
