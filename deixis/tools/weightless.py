"""ONNX graphs without their weights, which are part of the package: how the rooms that have one write it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

OPSET, IR_VERSION = 17, 8
Axes = Sequence[int | str]


def weightless(
    name: str,
    nodes: Sequence[Any],
    shapes: Mapping[str, tuple[int, ...]],
    inputs: Mapping[str, Axes],
    outputs: Mapping[str, Axes],
    constants: Mapping[str, Sequence[int]] | None = None,
) -> bytes:
    """Returns the serialised graph, the same bytes each time.

    Its weights are external data of a file that does not exist; a session must be given them.

    Args:
        name: of the graph.
        nodes: in the order of execution.
        shapes: of the weights, by name.
        inputs: shapes by name; an axis of any length has a name.
        outputs: likewise.
        constants: lists of integers that nodes take, by name.
    """
    from onnx import TensorProto, helper

    weights = [
        helper.make_tensor(key, TensorProto.INT64, [len(values)], values)
        for key, values in (constants or {}).items()
    ]
    for key, shape in shapes.items():
        tensor = TensorProto(
            name=key, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL
        )
        tensor.external_data.add(key="location", value="bound-by-the-session")
        weights.append(tensor)
    given, found = (
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, axes) for key, axes in values.items()]
        for values in (inputs, outputs)
    )
    body = helper.make_graph(list(nodes), name, given, found, weights)
    model = helper.make_model(
        body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="deixis"
    )
    return bytes(model.SerializeToString(deterministic=True))


def write_to_named(graph: Callable[[], bytes]) -> None:
    """Writes the graph to the path that the command line names."""
    parser = argparse.ArgumentParser(description=write_to_named.__doc__)
    parser.add_argument("path", type=Path)
    parser.parse_args().path.write_bytes(graph())
