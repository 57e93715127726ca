"""What the tests of formats share: frames, words, random grounded texts."""

from __future__ import annotations

from hypothesis import strategies as st

from deixis.geometry import Size
from deixis.learned import formats
from deixis.learned.formats import Grounded, PictureFrame, Span
from deixis.learned.formats.frame import resolve
from deixis.spaces import Cells, Space

NAMES = formats.names()
FRAME = PictureFrame(Size(width=640, height=480), Size(width=1280, height=960))
"""A picture of 640 × 480; the model saw it in twice that size."""

PHRASES = [
    "a dog",
    "the red kite",
    "two small boats",
    "an old man's hat",
    "the 3rd lamp",
    "a café table",
    "every 日本 flag",
    "the mother-in-law",
]
BETWEEN = [" is near ", " and ", ", then ", ". Here is ", " 😀 with ", " (not "]


def space_of(name: str, frame: PictureFrame) -> Space | Cells:
    return resolve(formats.get(name).profile.space, frame)


@st.composite
def frames(draw: st.DrawFn, most: int = 4000) -> PictureFrame:
    """Pictures from 40 pixels on, with aspects to 1 : 100, resized by Qwen's rule."""
    size = Size(width=draw(st.integers(40, most)), height=draw(st.integers(40, most)))
    return PictureFrame.resized(size)


@st.composite
def shapes(draw: st.DrawFn, frame: PictureFrame, kind: str, corners: int | None) -> tuple[float, ...]:
    share = st.floats(0, 1)
    width, height = frame.size.width, frame.size.height
    if kind == "point":
        return (draw(share) * width, draw(share) * height)
    if kind == "polygon":
        count = corners or draw(st.integers(3, 6))
        return tuple(draw(share) * side for _ in range(count) for side in (width, height))
    x1, x2 = sorted((draw(share) * width, draw(share) * width))
    y1, y2 = sorted((draw(share) * height, draw(share) * height))
    return (x1, y1, x2, y2)


@st.composite
def grounded_texts(draw: st.DrawFn, name: str, frame: PictureFrame) -> Grounded:
    """Texts in which up to four different phrases point at one to three places each."""
    kinds = formats.get(name).profile.kinds
    phrases = draw(st.lists(st.sampled_from(PHRASES), min_size=1, max_size=4, unique=True))
    text = draw(st.sampled_from(["", "There is ", "1. "]))
    spans = []
    for index, phrase in enumerate(phrases):
        text += draw(st.sampled_from(BETWEEN)) if index else ""
        kind = draw(st.sampled_from(kinds))
        for _ in range(draw(st.integers(1, 3))):
            values = draw(shapes(frame, kind, formats.get(name).profile.corners))
            spans.append(
                Span(phrase=phrase, kind=kind, values=values, start=len(text), end=len(text) + len(phrase))
            )
        text += phrase
    return Grounded(text=text + draw(st.sampled_from(["", ".", " here", "?)"])), spans=tuple(spans))


def rows(text: Grounded) -> list[tuple[str, int | None, str]]:
    return [(span.phrase, span.start, span.kind) for span in text.spans]
