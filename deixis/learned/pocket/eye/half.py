"""An eye's file in half the size, with its kinds and limits in it."""

from __future__ import annotations

from deixis.learned.publish import halved
from deixis.learned.world.categories import categories
from deixis.tools.pocket.eye import FACTS, Kind, Limits, facts
from deixis.tools.pocket.strangeness import NEVER, Strangeness


def kinds() -> tuple[Kind, ...]:
    """Returns the categories as an eye's file names them: the words that no training saw stay out."""
    return tuple(Kind(one.name, one.plural, one.synonyms, one.broader) for one in categories())


def stored(
    network: bytes,
    limits: Limits = Limits(),
    strange: Strangeness = NEVER,
    named: tuple[Kind, ...] | None = None,
) -> bytes:
    """Returns the ONNX file with weights of 16 bits, which inference turns into 32, and its facts.

    A file that is stored so already only gets other facts.

    Raises:
        MissingExtra: the package ``onnx`` is not installed.
    """
    return halved(network, {FACTS: facts(named or kinds(), limits, strange)})
