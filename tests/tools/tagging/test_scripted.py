"""The scripted tagger: keeps the role's promises, and misbehaves as told."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from deixis.errors import ToolFault
from deixis.geometry import Box
from deixis.tools.tagging import TagRequest, TagResult
from deixis.tools.tagging.scripted import scripted
from tests.conformance.tagging import check_tagger


@pytest.fixture
def image(store):
    return store.add_image(np.zeros((40, 60, 3), np.uint8))


def test_keeps_the_promises_of_taggers(store, image):
    check_tagger(scripted({"dog": 0.9, "lawn": 0.6, "ball": 0.2}), store, image)


def test_gives_its_table_above_the_threshold(store, image):
    tool = scripted({"ball": 0.2, "dog": 0.9})
    request = TagRequest(image=image, threshold=0.5, boxes=(Box(x1=0, y1=0, x2=9, y2=9),))
    result = asyncio.run(tool(request, store))
    assert [tag.label for tag in result.tags] == ["dog"]
    assert result.regions == (result.tags,)
    assert tool.script.calls == 1


def test_misbehaves_as_told(store, image):
    request = TagRequest(image=image)
    with pytest.raises(ToolFault):
        asyncio.run(scripted({}, fail="fault")(request, store))
    with pytest.raises(RuntimeError):
        asyncio.run(scripted({}, fail="raise")(request, store))
    nonsense = asyncio.run(scripted({}, fail="nonsense")(request, store))
    with pytest.raises(ValueError, match="nonsense"):
        TagResult.model_validate(nonsense)
    begun = time.monotonic()
    asyncio.run(scripted({}, delay_s=0.05)(request, store))
    assert time.monotonic() - begun >= 0.05
