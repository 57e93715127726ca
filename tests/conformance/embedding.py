"""What every embedder must hold to, whatever it is made of; other people's embedders can run it too.

``check_vectors`` looks at one result; ``check_embedder`` asks a tool the questions that find most faults.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

from deixis.geometry import Box, TimeSpan
from deixis.media.refs import AudioRef, ImageRef, MediaSource
from deixis.tools.embedding import AudioPart, EmbedRequest, EmbedResult, ImageRegion


def check_vectors(request: EmbedRequest, result: EmbedResult) -> None:
    """Checks number, length and norm of the vectors.

    Raises:
        AssertionError: the embedder broke a rule; the message names it.
    """
    asked = (request.texts, request.images, request.audios)
    given = (result.texts, result.images, result.audios)
    for items, vectors in zip(asked, given, strict=True):
        assert len(vectors) == len(items), "one vector, or none, for each item"
        for vector in vectors:
            if vector is not None:
                assert len(vector) == result.dimension, "a vector has as many numbers as the dimension says"
                assert math.isclose(math.hypot(*vector), 1.0, abs_tol=1e-4), "a vector has length 1"


def ask(tool: Any, media: MediaSource, **items: Any) -> EmbedResult:
    """Returns the tool's validated, checked result."""
    request = EmbedRequest(**items)
    result = EmbedResult.model_validate(asyncio.run(tool(request, media)))
    check_vectors(request, result)
    return result


def cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Returns the cosine of two unit vectors."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def check_embedder(tool: Any, media: MediaSource, image: ImageRef, audio: AudioRef) -> None:
    """Asks for texts, pictures, parts of pictures, and sounds, together and one by one.

    Raises:
        AssertionError: the embedder broke a rule; the message names it.
    """
    empty = ask(tool, media)
    assert (empty.texts, empty.images, empty.audios) == ((), (), ()), "nothing asked, nothing given"
    texts = ("dog", "a dog", "", "cat")
    box = Box(x1=0, y1=0, x2=image.size.width / 2, y2=image.size.height / 2)
    images = (ImageRegion(image=image), ImageRegion(image=image, box=box))
    outside = Box(x1=-20, y1=-20, x2=-10, y2=-10)
    audios = (AudioPart(audio=audio), AudioPart(audio=audio, span=TimeSpan(start_s=0, end_s=0.5)))
    together = ask(tool, media, texts=texts, images=images, audios=audios)
    assert together.dimension == empty.dimension, "all vectors are of one space"
    assert together == ask(tool, media, texts=texts, images=images, audios=audios), (
        "the same item, the same vector"
    )
    assert ask(tool, media, texts=texts[::-1]).texts == together.texts[::-1], (
        "vectors come in the order asked"
    )
    assert ask(tool, media, images=images[1:]).images == together.images[1:], (
        "a batch gives what its parts give"
    )
    assert len(ask(tool, media, images=(ImageRegion(image=image, box=outside),)).images) == 1
    dog, cat = together.texts[0], together.texts[3]
    assert dog and cat and cosine(dog, cat) < 0.999, "different things have different vectors"
