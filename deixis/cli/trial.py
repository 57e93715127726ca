"""A small request for every role, on a drawn picture and a made sound: enough to see that a tool works."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deixis.media.refs import AudioRef, ImageRef
    from deixis.store import Store
    from deixis.tools.protocol import Tool

RATE_HZ = 16_000


@dataclass(frozen=True)
class Trial:
    """How one call went. `seconds` is a second, warm call; `load_s` is making the tool and the first call."""

    name: str
    role: str
    load_s: float
    seconds: float
    found: str


def picture(store: Store, shift: int) -> ImageRef:
    """Returns a drawn picture, 320 x 240: a red disc on a green field, `shift` pixels to the right."""
    import numpy as np

    y, x = np.mgrid[0:240, 0:320]
    pixels = np.full((240, 320, 3), (70, 140, 70), dtype=np.uint8)
    pixels[(x - 150 - shift) ** 2 + (y - 110) ** 2 < 70**2] = (200, 40, 40)
    return store.add_image(pixels)


def sound(store: Store, shift: int) -> AudioRef:
    """Returns a made sound of two seconds: silence, then a tone of 880 Hz and `shift` more."""
    import numpy as np

    t = np.arange(2 * RATE_HZ, dtype=np.float32) / RATE_HZ
    samples = np.where(t < 1, 0, 0.4 * np.sin(2 * math.pi * (880 + shift) * t)).astype(np.float32)
    return store.add_audio((samples, RATE_HZ))


def request(role: str, store: Store, shift: int = 0) -> Any:
    """Returns a request of this role about the drawn picture and the made sound of this `shift`."""
    from deixis.answer import Score
    from deixis.geometry import Box, TimeSpan
    from deixis.tools.detection.protocol import GroundRequest
    from deixis.tools.embedding.protocol import EmbedRequest
    from deixis.tools.hearing.protocol import HearRequest, SoundEvent
    from deixis.tools.linking.protocol import Linkable, LinkRequest
    from deixis.tools.matching.protocol import Heard, MatchRequest, Visible
    from deixis.tools.segmentation.protocol import SegmentRequest
    from deixis.tools.tagging.protocol import TagRequest

    if role == "tagging":
        return TagRequest(image=picture(store, shift))
    if role == "detection":
        return GroundRequest(image=picture(store, shift), phrases=("sports ball", "dog"))
    if role == "segmentation":
        return SegmentRequest(image=picture(store, shift), boxes=(Box(x1=80, y1=40, x2=220, y2=180),))
    if role == "embedding":
        return EmbedRequest(texts=("dog", "cat"))
    if role == "hearing":
        return HearRequest(audio=sound(store, shift))
    if role == "linking":
        labels = (Linkable(id="thing-1", label="dog"), Linkable(id="thing-2", label="ball"))
        return LinkRequest(text="Two dogs run after a ball.", labels=labels)
    event = SoundEvent(
        label="bark",
        span=TimeSpan(start_s=0, end_s=1),
        score=Score(value=0.9, kind="hearing"),
        parents=("dog",),
    )
    seen = Visible(id="thing-1", names=("dog",), score=Score(value=0.9, kind="detector"))
    return MatchRequest(visible=(seen,), heard=(Heard(id="sound-1", event=event),))


def try_tool(name: str, store: Store) -> Trial:
    """Returns how the tool of this registry name did on the request of its role.

    Raises:
        DeixisError: the tool is unknown, cannot be made here, or failed.
        ToolFault: it gave something that is not its role's output.
    """
    import asyncio

    from deixis import registry
    from deixis.errors import ToolFault

    start = time.perf_counter()
    tool: Tool = registry.tools.create(name)
    asyncio.run(_call(tool, request(tool.role, store), store))
    loaded = time.perf_counter()
    asked = request(tool.role, store, shift=20)  # another picture: tools keep what they saw last
    started = time.perf_counter()
    result = asyncio.run(_call(tool, asked, store))
    seconds = time.perf_counter() - started
    if not isinstance(result, tool.Output):
        raise ToolFault("tool.output.invalid", f"{name} gave a {type(result).__name__}.", "Mend the tool.")
    return Trial(name, tool.role, loaded - start, seconds, _summary(result))


async def _call(tool: Tool, asked: Any, store: Store) -> Any:
    return await tool(asked, store)


def _summary(result: Any) -> str:
    """Returns how many of what a result holds, e.g. ``2 phrases, 0 everything``."""
    return ", ".join(
        f"{len(value)} {name}"
        for name in type(result).model_fields
        if isinstance(value := getattr(result, name), tuple)
    )
