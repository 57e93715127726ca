"""The eye of the package, on test scenes and through the tools as they are registered."""

from __future__ import annotations

import pytest

from deixis import registry
from deixis.errors import InputFault
from deixis.learned.world.categories import categories
from deixis.learned.world.scenes import TEST_SEEDS, scene
from deixis.tools.detection import GroundRequest
from deixis.tools.pocket.eye import eye
from deixis.tools.pocket.shipped import EYE, card, shipped
from deixis.tools.tagging import TagRequest
from tests.conformance.detection import check_detector
from tests.conformance.tagging import check_tagger


@pytest.fixture(autouse=True)
def _there():
    try:
        shipped(EYE)
    except InputFault as error:
        pytest.skip(f"the eye is not shipped yet: {error}")


def clear():
    """Returns the first test scene with one large thing alone."""
    made = (scene(seed) for seed in TEST_SEEDS)
    return next(
        one for one in made if len(one.classes) == 1 and (one.boxes[0, 2:] - one.boxes[0, :2]).min() > 60
    )


def test_it_is_the_eye_of_its_card():
    assert eye().weights_digest == card()[EYE]["digest"]
    assert eye().names == tuple(one.name for one in categories())
    told = card()[EYE]["thresholds"]
    limits = eye().limits
    assert (limits.box, limits.present, limits.tag) == (told["box"], told["present"], told["tag"])
    assert shipped(EYE).stat().st_size <= 6_500_000


def test_the_registered_tools_keep_their_promises(store):
    one = clear()
    image = store.add_image(one.pixels)
    check_detector(registry.tools.create("detection/pocket"), image, store, one.names[0])
    check_tagger(registry.tools.create("tagging/pocket"), store, image)


def test_most_things_of_test_scenes_are_found_and_absent_ones_are_not(store):
    detector = registry.tools.create("detection/pocket")
    tagger = registry.tools.create("tagging/pocket")
    found = there = invented = tagged = 0
    for seed in TEST_SEEDS[:25]:
        one = scene(seed)
        image = store.add_image(one.pixels)
        names = sorted(set(one.names))
        absent = [kind.name for kind in categories()[::12] if kind.name not in names and not kind.broader]
        answers = detector.run(GroundRequest(image=image, phrases=(*names, *absent)), store).phrases
        found += sum(answer.status == "found" for answer in answers[: len(names)])
        invented += sum(answer.status == "found" for answer in answers[len(names) :])
        tags = {tag.label for tag in tagger.run(TagRequest(image=image), store).tags}
        tagged += len(tags & set(names))
        there += len(names)
    # Floors under what the shipped eye reaches (.81 and .67), not the bars that it is meant to reach.
    assert found / there > 0.75 and tagged / there > 0.6
    assert invented <= 3
