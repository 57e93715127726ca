"""What every detector holds to. Call `check_detector` with yours, a picture, and a phrase it knows."""

from __future__ import annotations

import asyncio

from deixis.media.refs import ImageRef, MediaSource
from deixis.tools.detection import GroundRequest, GroundResult
from deixis.tools.protocol import Tool

NONSENSE = "a blorptified quixotron"


def check_detector(tool: Tool, image: ImageRef, media: MediaSource, known: str) -> None:
    """Passes where the detector keeps the protocol's promises.

    Raises:
        AssertionError: one is broken.
    """
    assert isinstance(tool, Tool)
    assert tool.role == "detection"
    assert tool.Input is GroundRequest and tool.Output is GroundResult

    def ask(*phrases: str, **options: object) -> GroundResult:
        request = GroundRequest(image=image, phrases=phrases, **options)  # type: ignore[arg-type]
        result = asyncio.run(tool(request, media))
        assert isinstance(result, GroundResult)
        return result

    asked = (known, NONSENSE, known, f"  {known.upper()}  ", "", "🦄", "two " + known)
    together = ask(*asked)
    assert tuple(entry.phrase for entry in together.phrases) == asked
    assert together == ask(*asked), "the same question, the same answer"
    for phrase, entry in zip(asked, together.phrases, strict=True):
        assert entry == ask(phrase).phrases[0], "alone as in company"
        assert (entry.status == "found") == bool(entry.detections)
        scores = [detection.score.value for detection in entry.detections]
        assert scores == sorted(scores, reverse=True)
        for detection in entry.detections:
            assert 0 <= detection.score.value <= 1
            assert detection.box == detection.box.clip(image.size)
            assert detection.box.area > 0
    assert together.phrases[1].status == "not_covered"
    assert together.phrases[0].status == "found", "the picture is to show what is known"
    assert not ask(known).everything
    assert ask(everything=True).phrases == ()
    counts = [len(ask(known, threshold=value).phrases[0].detections) for value in (0.05, 0.5, 1.0)]
    assert counts == sorted(counts, reverse=True), "a higher threshold never gives more"
    assert len(ask(known, top=1).phrases[0].detections) <= 1
