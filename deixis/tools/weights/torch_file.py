"""Tensors of a PyTorch ``.pt`` archive as numpy arrays, without PyTorch and without running its pickle.

A ``.pt`` file (PyTorch >= 1.6) is a zip of stored members: ``<top>/data.pkl`` describes the tensors,
``<top>/data/<key>`` holds the raw bytes of each storage. A pickle is a program; here it may name four
things, each is mapped to an inert constructor of this file, and nothing else is ever looked up or
called. Strings, numbers, tuples and dictionaries are data.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deixis.errors import InputFault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_PICKLE_BYTES = 4 * 2**20
"""A state dict spends about 200 bytes a tensor; 4 MiB describe 20,000 tensors."""
MAX_TENSOR_BYTES = 2**30
MAX_DIMENSIONS = 8

_DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


# What a pickle may name is a tuple: a pickle can set attributes of what it holds (opcode BUILD), and
# tuples have none that could be set.


class _StorageKind(NamedTuple):
    dtype: str


class _Storage(NamedTuple):
    dtype: str
    key: str
    length: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _RebuildTensor(NamedTuple):
    """Stands for ``torch._utils._rebuild_tensor_v2``."""

    def __call__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
        if not isinstance(storage, _Storage):
            raise pickle.UnpicklingError("a tensor without a storage")
        sizes, steps = tuple(shape), tuple(strides)
        if len(sizes) != len(steps) or len(sizes) > MAX_DIMENSIONS:
            raise pickle.UnpicklingError(f"a tensor of shape {sizes} with strides {steps}")
        if any(type(n) is not int or n < 0 for n in (offset, *sizes, *steps)):
            raise pickle.UnpicklingError(f"a tensor at {offset} of shape {sizes} with strides {steps}")
        return _Tensor(storage, offset, sizes, steps)


class _RebuildParameter(NamedTuple):
    """Stands for ``torch._utils._rebuild_parameter``."""

    def __call__(self, tensor: Any, *_: Any) -> _Tensor:
        if not isinstance(tensor, _Tensor):
            raise pickle.UnpicklingError("a parameter without a tensor")
        return tensor


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
    ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
    **{("torch", name): _StorageKind(dtype) for name, dtype in _DTYPES.items()},
}


class _TensorsOnly(pickle.Unpickler):
    """An unpickler that knows the names in `_ALLOWED` and refuses every other one."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage, key, _place, length = pid
        if kind != "storage" or not isinstance(storage, _StorageKind):
            raise pickle.UnpicklingError("an unknown kind of storage")
        if not isinstance(key, str) or not key.isdecimal() or type(length) is not int or length < 0:
            raise pickle.UnpicklingError("a storage without key or length")
        return _Storage(storage.dtype, key, length)


def read_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the tensors of a state dict by name, as owned C-contiguous arrays.

    The caller compares the file's sha256 with the manifest before.

    Raises:
        InputFault: the file is not a state dict of plain tensors, or is over the limits.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except (
        # What zipfile, pickle and the checks above raise on a damaged or a foreign file.
        zipfile.BadZipFile,
        pickle.UnpicklingError,
        OSError,
        EOFError,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        AttributeError,
        NotImplementedError,
    ) as error:
        raise InputFault(
            "weights.torch_file.unreadable",
            f"{path.name} is not a file of plain tensors: {error}.",
            "Fetch it again with: deixis models pull light",
        ) from error


def _read(archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    pickles = [info for info in archive.infolist() if info.filename.count("/") == 1]
    described = [info for info in pickles if info.filename.endswith("/data.pkl")]
    if len(described) != 1:
        raise ValueError("it has no data.pkl")
    if described[0].file_size > MAX_PICKLE_BYTES:
        raise ValueError(f"data.pkl has {described[0].file_size} bytes")
    top = described[0].filename.removesuffix("/data.pkl")
    if f"{top}/byteorder" in archive.namelist() and archive.read(f"{top}/byteorder") != b"little":
        raise ValueError("its bytes are not little-endian")
    tensors = _TensorsOnly(io.BytesIO(archive.read(described[0]))).load()
    if not isinstance(tensors, dict):
        raise ValueError("it holds no dictionary")
    total, arrays = 0, {}
    for name, tensor in dict.items(tensors):
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise ValueError(f"{name!r} is not a tensor")
        array = _array(archive, top, tensor)
        total += array.nbytes
        if total > MAX_TENSOR_BYTES:
            raise ValueError(f"its tensors take over {MAX_TENSOR_BYTES} bytes")
        arrays[name] = array
    return arrays


def _array(archive: zipfile.ZipFile, top: str, tensor: _Tensor) -> NDArray[Any]:
    import numpy as np

    dtype: np.dtype[Any] = np.dtype(tensor.storage.dtype)
    info = archive.getinfo(f"{top}/data/{tensor.storage.key}")
    count = math.prod(tensor.shape)
    if max(info.file_size, count * dtype.itemsize) > MAX_TENSOR_BYTES:
        raise ValueError(f"a storage of {info.file_size} bytes")
    if info.file_size != tensor.storage.length * dtype.itemsize:
        raise ValueError(f"storage {tensor.storage.key} has another length than data.pkl says")
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if count and last >= tensor.storage.length:
        raise ValueError(f"a tensor reaches over the end of storage {tensor.storage.key}")
    flat = np.frombuffer(archive.read(info), dtype=dtype)
    if not count:
        return np.zeros(tensor.shape, dtype=dtype)
    view = np.lib.stride_tricks.as_strided(
        flat[tensor.offset :],
        tensor.shape,
        tuple(step * dtype.itemsize for step in tensor.strides),
        writeable=False,
    )
    return np.array(view, order="C")
