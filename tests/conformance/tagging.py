"""What every tagger must hold to, whatever it is made of; other people's taggers can run it too.

``check_tags`` looks at one result; ``check_tagger`` asks a tool the questions that find most faults.
"""

from __future__ import annotations

import asyncio
from typing import Any

from deixis.geometry import Box
from deixis.media.refs import ImageRef, MediaSource
from deixis.tools.tagging import TagRequest, TagResult


def check_tags(request: TagRequest, result: TagResult) -> None:
    """Checks order, names, scores, number and thresholds of the tags.

    Raises:
        AssertionError: the tagger broke a rule; the message names it.
    """
    assert len(result.regions) == len(request.boxes), "one list of tags for each box"
    for tags in (result.tags, *result.regions):
        labels = [tag.label for tag in tags]
        scores = [tag.score.value for tag in tags]
        assert len(tags) <= request.top, "no more tags than asked for"
        assert scores == sorted(scores, reverse=True), "tags come best first"
        assert len(set(labels)) == len(labels), "a label comes once"
        for tag in tags:
            assert tag.label == tag.label.strip().casefold() != "", "a label is a name in lower case"
            assert tag.label not in tag.kinds, "a kind is another name than the label"
            assert tag.score.kind == "tagger" and 0 <= tag.score.value <= 1, "a score is in 0..1"
            assert tag.score.value >= (request.threshold or 0), "no tag below the threshold"


def ask(tool: Any, media: MediaSource, image: ImageRef, **more: Any) -> TagResult:
    """Returns the tool's validated, checked result."""
    request = TagRequest(image=image, **more)
    result = TagResult.model_validate(asyncio.run(tool(request, media)))
    check_tags(request, result)
    return result


def check_tagger(tool: Any, media: MediaSource, image: ImageRef) -> None:
    """Asks for all tags, few tags, no tags, and tags of boxes in, across and outside the picture.

    Raises:
        AssertionError: the tagger broke a rule; the message names it.
    """
    w, h = image.size.width, image.size.height
    everything = ask(tool, media, image, threshold=0.0, top=1000)
    assert everything == ask(tool, media, image, threshold=0.0, top=1000), "the same request, the same tags"
    assert ask(tool, media, image, threshold=1.0, boxes=(Box(x1=0, y1=0, x2=w, y2=h),)) == TagResult(
        regions=((),)
    ), "nothing is certain"
    few = ask(tool, media, image, threshold=0.0, top=2)
    assert few.tags == everything.tags[:2], "`top` takes the best"
    half = ask(tool, media, image, threshold=0.5, top=1000)
    sure = {tag.label for tag in everything.tags if tag.score.value >= 0.5}
    assert {tag.label for tag in half.tags} >= sure, "a threshold takes away only what is below it"

    boxes = [
        Box(x1=0, y1=0, x2=0.6 * w, y2=0.7 * h),
        Box(x1=0.3 * w, y1=0.2 * h, x2=1.5 * w, y2=1.5 * h),
        Box(x1=w + 10, y1=0, x2=w + 50, y2=h),
        Box(x1=0.5 * w, y1=0.5 * h, x2=0.5 * w, y2=0.5 * h),
    ]
    together = ask(tool, media, image, threshold=0.0, boxes=tuple(boxes))
    turned = ask(tool, media, image, threshold=0.0, boxes=tuple(boxes[::-1]))
    assert turned.regions == together.regions[::-1], "regions come in the order of the boxes"
    assert together.tags == everything.tags[: len(together.tags)], "boxes change nothing of the whole"
