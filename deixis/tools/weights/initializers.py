"""The named weights of an ONNX-like file as numpy arrays, without the package ``onnx``.

An ONNX file is one protobuf message. Files that other converters write in the same frame (pnnx, for
one) hold node kinds that no runtime knows, but their weights are ordinary initialisers. This reads
only those: ``ModelProto.graph`` (field 7), ``GraphProto.initializer`` (field 5), and of each
``TensorProto`` dims (1), data_type (2), name (8) and raw_data (9); field numbers as in onnx.proto.
Everything else is stepped over. Lengths are checked before anything is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import InputFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FILE_BYTES = 2**31
MAX_DIMENSIONS = 8
_DTYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 10: "<f2", 11: "<f8"}
"""``TensorProto.DataType`` of the kinds that numpy has."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_initializers(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the initialisers of the file by name, in its order; read-only arrays in the stored dtype.

    Raises:
        InputFault: the file is not a whole ONNX message, or a weight of it is stored in a way that is
            not read here (outside the file, as strings, or without raw data).
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"it has over {MAX_FILE_BYTES} bytes")
        return parse_initializers(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputFault(
            "weights.onnx_file.unreadable",
            f"The weights of {path.name} cannot be read: {error}.",
            "Fetch it again with: deixis models pull light",
        ) from error


def parse_initializers(message: bytes) -> dict[str, NDArray[Any]]:
    """Returns the initialisers of a serialised ``ModelProto`` by name.

    Raises:
        ValueError: it is not one, or holds a weight that is not read here.
    """
    found: dict[str, NDArray[Any]] = {}
    for number, graph in _fields(memoryview(message)):
        if number != 7 or not isinstance(graph, memoryview):
            continue
        for inner, tensor in _fields(graph):
            if inner == 5 and isinstance(tensor, memoryview):
                name, array = _tensor(tensor)
                if name in found:
                    raise ValueError(f"two weights are called {name!r}")
                found[name] = array
    if not found:
        raise ValueError("it holds no weights")
    return found


def _tensor(message: memoryview) -> tuple[str, NDArray[Any]]:
    import numpy as np

    dims: list[int] = []
    kind, name, raw = 0, "", None
    for number, value in _fields(message):
        if number == 1:
            dims += list(_packed(value)) if isinstance(value, memoryview) else [value]
        elif number == 2 and isinstance(value, int):
            kind = value
        elif number == 8 and isinstance(value, memoryview):
            name = str(value, "utf-8")
        elif number == 9 and isinstance(value, memoryview):
            raw = value
    if kind not in _DTYPES:
        raise ValueError(f"weight {name!r} is of kind {kind}")
    if raw is None:
        raise ValueError(f"weight {name!r} has no raw data")
    dtype = np.dtype(_DTYPES[kind])
    if len(dims) > MAX_DIMENSIONS or math.prod(dims) * dtype.itemsize != len(raw):
        raise ValueError(f"weight {name!r} of shape {tuple(dims)} has {len(raw)} bytes")
    return name, np.frombuffer(raw, dtype=dtype).reshape(dims)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields (field number, value) of a message; length-delimited values as views, fixed ones as bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"it has a field of wire type {wire}")
        if length > len(message) - at:
            raise ValueError("it breaks off")
        yield number, message[at : at + length]
        at += length


def _packed(message: memoryview) -> Iterator[int]:
    at = 0
    while at < len(message):
        value, at = _varint(message, at)
        yield value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Returns the base-128 number at `at` and where it ends; at most ten bytes, as protobuf has it."""
    value = 0
    for index in range(10):
        if at + index >= len(message):
            raise ValueError("it breaks off")
        byte = message[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, at + index + 1
    raise ValueError("it has a number of over ten bytes")
