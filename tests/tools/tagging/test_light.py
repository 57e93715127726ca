"""The light tagger on real pictures."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.errors import ToolFault, WeightsMissing
from deixis.geometry import Box
from deixis.tools.tagging import TagRequest
from deixis.tools.tagging import light as module
from deixis.tools.tagging.light import light
from tests.conformance.tagging import check_tagger

pytestmark = pytest.mark.shared

SUBJECTS = {
    "n02123597_Siamese_cat.JPEG": ("siamese cat", "cat"),
    "n01580077_jay.JPEG": ("jay", "bird"),
    "n02690373_airliner.JPEG": ("airliner", "airplane"),
    "n03196217_digital_clock.JPEG": ("digital clock", "clock"),
    "n03452741_grand_piano.JPEG": ("grand piano", "piano"),
}


@pytest.fixture(scope="module")
def tagger(request):
    from tests.conftest import SHARED

    if SHARED is None:
        pytest.skip("needs real weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEIXIS_SHARED", str(SHARED))
        return light()


def _named(result):
    return {tag.label: tag for tag in result.tags}


@pytest.mark.parametrize("file", SUBJECTS)
def test_names_the_subject_and_its_kind(file, tagger, store, shared):
    name, kind = SUBJECTS[file]
    image = store.add_image(shared / "data/images/imagenet" / file)
    tags = _named(tagger.run(TagRequest(image=image), store))
    assert name in tags
    assert kind in tags[name].kinds
    assert tags[name].source == "imagenet"


def test_a_kind_is_named_where_its_classes_share_the_score(tagger, store, shared):
    """A husky is a husky, a malamute or an Eskimo dog to the network, and surely a dog."""
    image = store.add_image(shared / "data/images/imagenet/n02110185_Siberian_husky.JPEG")
    tags = _named(tagger.run(TagRequest(image=image), store))
    assert "dog" in tags
    assert not any("husky" in label for label in tags)


def test_keeps_the_promises_of_taggers(tagger, store, shared):
    image = store.add_image(shared / "data/images/demo/cat_dog.jpeg")
    check_tagger(tagger, store, image)


def test_a_crop_is_named_better_than_the_whole(tagger, store, shared):
    """The cat and the dog of one picture, each in its own box."""
    image = store.add_image(shared / "data/images/demo/cat_dog.jpeg")
    w, h = image.size.width, image.size.height
    from deixis.tools.detection import GroundRequest
    from deixis.tools.detection.deimv2 import femto

    seen = femto().run(GroundRequest(image=image, everything=True), store).everything
    boxes = {one.name: one.box for one in reversed(seen)}
    request = TagRequest(image=image, boxes=(boxes["cat"], Box(x1=0, y1=0, x2=w, y2=h)), threshold=0.2)
    cat, whole = tagger.run(request, store).regions
    assert any("cat" in (tag.label, *tag.kinds) for tag in cat)
    assert whole == tagger.run(TagRequest(image=image, threshold=0.2), store).tags


def test_thresholds_per_network_and_per_tag(store, shared):
    image = store.add_image(shared / "data/images/imagenet/n02123597_Siamese_cat.JPEG")
    strict = light(thresholds={"imagenet": 1.0, "everyday": 1.0, "kind": 1.0})
    assert strict.run(TagRequest(image=image), store).tags == ()
    one = light(thresholds={"imagenet": 1.0, "everyday": 1.0, "kind": 1.0}, per_tag={"Siamese cat": 0.1})
    assert [tag.label for tag in one.run(TagRequest(image=image), store).tags] == ["siamese cat"]
    assert one.run(TagRequest(image=image, threshold=1.0), store).tags == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3000, 20)])
def test_odd_shapes_are_tagged(shape, tagger, store):
    image = store.add_image(np.full((*shape, 3), 127, np.uint8))
    result = tagger.run(TagRequest(image=image, threshold=0.0, top=3), store)
    assert len(result.tags) == 3


def test_boxes_are_in_pixels_of_the_original(tagger, store, shared):
    """A picture that is shrunk for the network: the same part of it is cut out."""
    from PIL import Image

    path = shared / "data/images/imagenet/n02123597_Siamese_cat.JPEG"
    small = Image.open(path).convert("RGB")
    large = small.resize((small.width * 4, small.height * 4), Image.Resampling.BICUBIC)
    box = Box(x1=0, y1=0, x2=small.width * 0.6, y2=small.height * 0.8)
    labels = []
    for picture, factor in ((small, 1), (large, 4)):
        image = store.add_image(picture)
        request = TagRequest(image=image, boxes=(box.scale(factor, factor),), threshold=0.3)
        labels.append([tag.label for tag in tagger.run(request, store).regions[0]][:2])
    assert labels[0][0] == labels[1][0]


def test_a_file_without_names_is_a_tool_fault(tmp_path, monkeypatch):
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no archive")
    monkeypatch.setattr(module, "locate", lambda _: type("W", (), {"path": broken})())
    module.everyday_names.cache_clear()
    try:
        with pytest.raises(ToolFault, match="holds no names"):
            module.everyday_names()
    finally:
        module.everyday_names.cache_clear()


def test_missing_weights_are_said(monkeypatch):
    def gone(name):
        raise WeightsMissing(name, "light", "nowhere")

    monkeypatch.setattr(module, "interpreter", gone)
    with pytest.raises(WeightsMissing):
        light()
