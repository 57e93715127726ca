"""LiteRT interpreters, one per weight file and process, used by one thread at a time."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from deixis.errors import MissingExtra, ToolFault
from deixis.tools.weights import locate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


BANNER = b"INFO: Created TensorFlow Lite XNNPACK delegate"
_LOADING = threading.Lock()


@contextlib.contextmanager
def _without_banner() -> Iterator[None]:
    """Holds standard error back while a network loads, and lets all but LiteRT's banner through after.

    The library writes the banner to the descriptor itself and has no setting against it.
    """
    try:
        real = os.dup(2)
    except OSError:  # standard error is closed: nothing to keep clean
        yield
        return
    with _LOADING, tempfile.TemporaryFile() as held:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(real, 2)
            held.seek(0)
            for line in held:
                if not line.startswith(BANNER):
                    os.write(real, line)
            os.close(real)


class Interpreter:
    """A loaded network; `run` may be called from several threads, which take turns."""

    def __init__(self, name: str) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter as Lite
        except ImportError as error:
            raise MissingExtra("all", "ai-edge-litert", "Running the light networks") from error
        weight = locate(name)
        try:
            with _without_banner():
                self._lite = Lite(model_path=str(weight.path), num_threads=2)
                self._lite.allocate_tensors()
        except ValueError as error:
            raise ToolFault(
                "tool.weights.unloadable",
                f"{name} cannot be loaded: {error}",
                "Check it with: deixis models verify light",
            ) from error
        self._lock = threading.Lock()
        self.inputs: list[dict[str, Any]] = self._lite.get_input_details()
        self.outputs: list[dict[str, Any]] = self._lite.get_output_details()

    def run(self, feeds: Mapping[int, NDArray[Any]]) -> list[NDArray[Any]]:
        """Returns copies of all raw outputs for inputs given by position (raw: still quantised)."""
        with self._lock:
            for position, value in feeds.items():
                self._lite.set_tensor(self.inputs[position]["index"], value)
            self._lite.invoke()
            return [self._lite.get_tensor(detail["index"]).copy() for detail in self.outputs]

    def dequantised(self, position: int, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Returns output `position` as float32, by the scale and zero point of its tensor."""
        import numpy as np

        scale, zero = self.outputs[position]["quantization"]
        if not scale:
            return np.asarray(raw, dtype=np.float32)
        real: NDArray[np.float32] = ((raw.astype(np.float32) - zero) * scale).astype(np.float32)
        return real


@cache
def interpreter(name: str) -> Interpreter:
    """Returns the interpreter of a manifest file, made once.

    Raises:
        WeightsMissing: the file is not here.
        ToolFault: the file cannot be loaded.
    """
    return Interpreter(name)
