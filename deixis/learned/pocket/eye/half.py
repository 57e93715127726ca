"""An eye's file in half the size, with its kinds and limits in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deixis.learned.pocket.outline.publish import require_onnx
from deixis.learned.world.categories import categories
from deixis.tools.pocket.eye import FACTS, Kind, Limits, facts
from deixis.tools.pocket.strangeness import NEVER, Strangeness

if TYPE_CHECKING:
    import onnx

SMALL = 256
"""Tensors of fewer numbers (biases, scales) keep their 32 bits."""


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
    require_onnx()
    import onnx

    model = onnx.load_from_string(network)
    halved(model)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {FACTS: facts(named or kinds(), limits, strange)})
    written: bytes = model.SerializeToString()
    return written


def halved(model: onnx.ModelProto) -> None:
    """Turns the large 32-bit tensors of a model into 16-bit ones, each with a cast back to 32 bits."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < SMALL:
            continue
        name = tensor.name
        short = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(short, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
