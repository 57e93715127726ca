"""Published networks that torch runs: where their files lie, on what they run, how they are read safely.

Nothing here uses the network. A model is a folder on this machine or an id of the Hugging Face hub whose
snapshot is in the hub's cache; `deixis models pull` and the hub's own client fetch, nothing else does.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import DeixisError, InputFault, MissingExtra, ToolFault
from deixis.tools.weights.digest import sha256_of

if TYPE_CHECKING:
    import torch

    from deixis.media.refs import Digest

WEIGHTS = ("*.safetensors",)
DTYPES = {"fp32": "float32", "bf16": "bfloat16"}
DAMAGED = (OSError, EOFError, ValueError, KeyError, RuntimeError)
"""What readers raise on a file that is not theirs, besides errors of their own."""
SHOWN = 3
"""Keys named in the message about a checkpoint that does not fit."""


def need(purpose: str) -> None:
    """Checks that torch and transformers are installed; imports neither.

    Raises:
        MissingExtra: one is not.
    """
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtra("learned", package, purpose)


def package_missing(package: str, purpose: str) -> InputFault:
    """Returns the error for a package that no extra brings, because it does not fit beside the others."""
    return InputFault(
        "install.package.missing",
        f"{purpose} needs the package {package!r}, which is not installed.",
        f"Install it with: pip install {package} (best in an environment of its own: it brings a torch).",
        package=package,
    )


def device_of(wanted: str) -> torch.device:
    """Returns the device: ``auto`` takes CUDA, then MPS, then the CPU; else one by its torch name.

    Raises:
        InputFault: there is no such device here.
    """
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputFault(
            "tool.device.unknown",
            f"Nothing can be run on the device {wanted!r}: {reason}.",
            "Choose auto, cpu, cuda, cuda:1 or mps.",
        ) from error
    return device


def dtype_of(wanted: str) -> torch.dtype:
    """Returns the number type of the weights and of what is computed: ``fp32`` or ``bf16``.

    Raises:
        InputFault: it is neither.
    """
    import torch

    if wanted not in DTYPES:
        raise InputFault(
            "tool.dtype.unknown", f"There is no number type {wanted!r}.", f"Choose {' or '.join(DTYPES)}."
        )
    chosen: torch.dtype = getattr(torch, DTYPES[wanted])
    return chosen


def folder_of(model: str, revision: str | None = None) -> Path:
    """Returns the folder of a model: the folder of that path, or the hub's cached snapshot of that id.

    Args:
        model: a path, or an id such as ``IDEA-Research/grounding-dino-base``.
        revision: a commit of the hub; the one that the cache calls main if None.

    Raises:
        InputFault: weights.model.absent: it is neither a folder nor in the cache.
    """
    folder = Path(model).expanduser()
    if (folder / "config.json").is_file():
        return folder
    if re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            found = Path(snapshot_download(model, revision=revision, local_files_only=True))
        except LocalEntryNotFoundError:
            found = None
        if found is not None and (found / "config.json").is_file():
            return found
    at = f" --revision {revision}" if revision else ""
    raise InputFault(
        "weights.model.absent",
        f"The model {model!r} is neither a folder with a config.json nor in the cache of the hub.",
        f"Fetch it with: hf download {model}{at}; or name the folder that holds it.",
        model=model,
    )


def files_digest(files: Sequence[Path]) -> Digest:
    """Returns the digest over the sha256 of the files, in the order of their names; of one file, its own.

    Raises:
        InputFault: weights.model.unsafe: there are none, so the folder holds no safetensors.
    """
    if not files:
        raise InputFault(
            "weights.model.unsafe",
            "The model's folder has no .safetensors file; files that can run code are not opened.",
            "Take a revision with safetensors, or convert it with the hub's tools.",
        )
    sums = [sha256_of(path.resolve()) for path in sorted(files, key=lambda path: path.name)]
    return f"sha256:{sums[0] if len(sums) == 1 else hashlib.sha256(' '.join(sums).encode()).hexdigest()}"


def folder_weights(folder: Path) -> list[Path]:
    """Returns the safetensors files of a model's folder, sorted by name."""
    return sorted(path for pattern in WEIGHTS for path in folder.glob(pattern))


def read_checkpoint(path: Path, inside: str = "") -> dict[str, torch.Tensor]:
    """Returns the tensors of a checkpoint by name, on the CPU; no code of it is run.

    Args:
        path: a ``.safetensors`` file, or one that torch wrote, which is read with ``weights_only``.
        inside: the entry that holds the state dict, where the file is a dictionary of more (``model``).

    Raises:
        InputFault: weights.checkpoint.unreadable: it is damaged, or holds more than tensors.
    """
    import pickle
    import zipfile

    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found: Any = torch.load(
            path,
            map_location="cpu",
            weights_only=True,
            mmap=zipfile.is_zipfile(path),  # the state of a training beside the weights is not read
        )
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        RuntimeError,
        pickle.UnpicklingError,
        SafetensorError,
    ) as error:
        raise _unreadable(path, str(error).strip().split("\n")[0]) from error
    if inside and isinstance(found, Mapping) and isinstance(found.get(inside), Mapping):
        found = found[inside]
    if not isinstance(found, Mapping) or not all(isinstance(one, torch.Tensor) for one in found.values()):
        raise _unreadable(path, "it is not a dictionary of tensors")
    return dict(found)


def _unreadable(path: Path, why: str) -> InputFault:
    return InputFault(
        "weights.checkpoint.unreadable",
        f"The checkpoint {path.name} cannot be read safely: {why}.",
        "Fetch it again with: deixis models pull full",
    )


def fill(network: torch.nn.Module, tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Puts the tensors into the network; every weight gets one and none is left over.

    Raises:
        InputFault: weights.checkpoint.keys: one is missing, left over, or of another shape.
    """
    wanted = network.state_dict()
    # Tied weights are one tensor with two names; one of the names is enough.
    have = {wanted[key].data_ptr() for key in tensors if key in wanted}
    missing = [key for key, own in wanted.items() if key not in tensors and own.data_ptr() not in have]
    over = [key for key in tensors if key not in wanted]
    other = [key for key, one in tensors.items() if key in wanted and one.shape != wanted[key].shape]
    if missing or over or other:
        raise misfit(name, missing, over, other)
    network.load_state_dict(dict(tensors), strict=False)


def assembled(kind: Any, config: Any, tensors: dict[str, torch.Tensor], name: str) -> Any:
    """Returns a model of the class filled with tensors under the hub's names; none missing, none left over.

    Raises:
        InputFault: weights.checkpoint.keys: they do not fit.
    """
    with quiet():
        model, report = kind.from_pretrained(
            None, config=config, state_dict=tensors, output_loading_info=True, ignore_mismatched_sizes=True
        )
    # The last norm of Swin stands in the class and is used by no model with feature maps.
    missing = sorted(key for key in report["missing_keys"] if "swin.layernorm" not in key)
    over = sorted(report["unexpected_keys"])
    other = sorted(str(key) for key in report["mismatched_keys"])
    if missing or over or other:
        raise misfit(name, missing, over, other)
    return model


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps transformers' progress bar and its report of keys off the screen while a model is loaded."""
    from transformers import utils

    logging: Any = utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turns what the library raises on a model's folder into one error, and keeps it quiet meanwhile.

    Raises:
        ToolFault: tool.weights.unloadable: the folder cannot be loaded.
    """
    from safetensors import SafetensorError

    try:
        with quiet():
            yield
    except DeixisError:
        raise
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise unloadable(folder.name, error) from error


def misfit(name: str, missing: Sequence[str], over: Sequence[str], other: Sequence[str]) -> InputFault:
    """Returns the error for a checkpoint whose keys or shapes are not the network's."""
    shown = "; ".join(
        f"{len(keys)} {what} ({', '.join(keys[:SHOWN])})"
        for what, keys in (("missing", missing), ("left over", over), ("of another shape", other))
        if keys
    )
    return InputFault(
        "weights.checkpoint.keys",
        f"The checkpoint {name} does not fit the network: {shown}.",
        "Name the variant that it belongs to.",
    )


def unloadable(name: str, error: Exception) -> ToolFault:
    """Returns the error for a model whose files are here and cannot be loaded."""
    return ToolFault(
        "tool.weights.unloadable",
        f"{name} cannot be loaded: {type(error).__name__}: {error}",
        "Check its files, or fetch them again.",
    )
