"""ONNX Runtime sessions: one per weight file and process, and those of this project's own networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import InputFault, MissingExtra, ToolFault
from deixis.tools.weights import locate

if TYPE_CHECKING:
    import onnxruntime


def options() -> onnxruntime.SessionOptions:
    """Returns session options for small networks: few threads, which sleep between calls.

    Spinning threads would take the cores from the tools that run side by side.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("all", "onnxruntime", "Running the light networks") from error
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = 2
    chosen.inter_op_num_threads = 1
    chosen.log_severity_level = 3
    chosen.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return chosen


@cache
def session(name: str) -> onnxruntime.InferenceSession:
    """Returns the CPU session of a manifest file; safe to run from several threads.

    Raises:
        WeightsMissing: the file is not here.
        ToolFault: the file cannot be loaded.
    """
    import onnxruntime

    weight = locate(name)
    try:
        return onnxruntime.InferenceSession(
            str(weight.path), sess_options=options(), providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ToolFault(
            "tool.weights.unloadable",
            f"{name} cannot be loaded: {error}",
            "Check it with: deixis models verify light",
        ) from error


@contextmanager
def opened(path: Path, unusable: Callable[[Path, str], InputFault]) -> Iterator[onnxruntime.InferenceSession]:
    """Yields the CPU session of a network that this project trained, to be read and checked inside.

    Args:
        path: the network's file.
        unusable: makes the error of its kind of network from the file and what is wrong with it.

    Raises:
        InputFault: the one that `unusable` makes: there is no such file, it cannot be loaded, or what is
            looked up inside is not there.
    """
    chosen = options()
    import onnxruntime

    if not path.is_file():
        raise unusable(path, "there is no such file")
    try:
        yield onnxruntime.InferenceSession(str(path), chosen, providers=["CPUExecutionProvider"])
    except InputFault:
        raise
    except Exception as error:  # onnxruntime has no common error type
        raise unusable(path, f"{type(error).__name__}: {error}") from error
