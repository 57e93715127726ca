"""A twin as an adapter folder: its tensors, its settings, its gate, and the digests of its base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from pydantic import ValidationError
from torch import nn

from deixis.errors import InputFault
from deixis.learned.twin import layout
from deixis.learned.twin.card import card
from deixis.learned.twin.config import TwinConfig
from deixis.learned.twin.digests import differences, file_digest, tensor_digests
from deixis.learned.twin.gates.decision import FORGET_FREE
from deixis.learned.twin.gates.features import Embed
from deixis.learned.twin.gates.storage import load_gate
from deixis.learned.twin.wrapper import TwinFeedForward

if TYPE_CHECKING:
    from deixis.learned.twin.board import Board
    from deixis.learned.twin.twin import Twin


SHORT, WIDE = torch.float16, torch.float32
"""The dtype that a twin can be stored in, and the one that it then computes with."""


def save(twin: Twin, folder: Path, half: bool = False) -> Path:
    """Returns `folder` with the twin in it: tensors, settings, gate, model card; no tensor of the base.

    With `half` wider tensors are written as float16, and the twin takes on what was written.
    """
    from safetensors.torch import save_file

    tensors = {name: value.cpu().contiguous().clone() for name, value in stored_tensors(twin).items()}
    if half:
        tensors = {name: _short(value) for name, value in tensors.items()}
        fill_twin(twin, tensors, folder)

    def fill(place: Path) -> None:
        save_file(tensors, place / layout.TENSORS, metadata={"format": "pt"})
        gate = None
        if twin.gate is not None:
            twin.gate.save(place / layout.GATE)
            gate = {**twin.gate.settings(), "forget_free": FORGET_FREE[twin.gate.kind]}
        config = {
            "type": layout.TYPE,
            "format": layout.FORMAT,
            "twin": twin.config.model_dump(mode="json"),
            "layers": twin.layers,
            "parameters": sum(value.numel() for value in tensors.values()),
            "base": described_base(twin.board, twin.layers),
            "gate": gate,
            "files": {
                path.relative_to(place).as_posix(): file_digest(path)
                for path in sorted(place.rglob("*"))
                if path.is_file()
            },
            "versions": _versions(),
        }
        (place / layout.CONFIG).write_text(json.dumps(config, indent=1) + "\n", "utf-8")
        (place / layout.CARD).write_text(card(config), "utf-8")

    layout.write_folder(folder, fill)
    return folder


def attach(
    model: Any,
    folder: Path | str,
    name: str | None = None,
    *,
    verify: Literal["all", "touched"] = "all",
    embed: Embed | None = None,
) -> Twin:
    """Returns a stored twin, grafted onto `model` and switched off.

    With `verify` every tensor of the base, or only those of the layers that have a twin, must be the one that
    the twin was trained on. `embed` is needed by a gate that was trained on embeddings of prompts.

    Raises:
        InputFault: the folder is damaged, or the base is another one (the message names tensors). The model
            is then as it was.
    """
    from deixis.learned.twin.grafting import board_of, graft

    folder = Path(folder)
    stored = layout.read_config(folder)
    layout.check_files(folder, stored)
    try:
        config = TwinConfig.model_validate(stored["twin"])
        layers = tuple(int(number) for number in stored["layers"])
        config = TwinConfig.model_validate(
            {**config.model_dump(), "layers": layers, "name": name or config.name}
        )
        base = stored["base"]
        expected = dict(base["touched"]) if verify == "touched" else {**base["touched"], **base["others"]}
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise layout.broken(folder, f"{layout.CONFIG} lacks or garbles a setting") from error
    board = board_of(model)
    check_base(model if board is None else board, expected, verify, base)
    tensors = _tensors(folder)
    twin = graft(model, config)
    try:
        fill_twin(twin, tensors, folder)
        if stored.get("gate"):
            twin.gate = load_gate(stored["gate"], folder / layout.GATE, embed)
    except BaseException:
        twin.detach()
        raise
    return twin


def check_base(model: Any, expected: dict[str, str], verify: str, base: dict[str, Any]) -> None:
    """Says nothing where a model, or the board of a grafted one, has the tensors that are expected.

    Raises:
        InputFault: it has others; the message names up to five.
    """
    state = model.base_state() if hasattr(model, "base_state") else model.state_dict()
    if verify == "touched":
        state = {key: value for key, value in state.items() if key in expected}
    wrong = differences(expected, tensor_digests(state))
    if not wrong:
        return
    dtypes = sorted({str(value.dtype).removeprefix("torch.") for value in state.values() if value.ndim})
    more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    raise InputFault(
        "twin.base.other",
        f"This is not the base that the twin was trained on: {', '.join(wrong[:5])}{more} "
        f"{'differs' if len(wrong) == 1 else 'differ'} (here {', '.join(dtypes)}; the twin's base is "
        f"{base.get('dtype', 'unknown')}).",
        f"Load {base.get('name') or 'the base that the twin names'}, in its own dtype, and attach again.",
        tensors=wrong[:50],
    )


def stored_tensors(twin: Twin) -> dict[str, torch.Tensor]:
    """Returns the tensors of an adapter file by name: ``layers.N.mlp.learn...`` and nothing of the base."""
    named: dict[str, torch.Tensor] = {}
    for number, module in twin.modules().items():
        for path, value in exported(module).items():
            named[f"layers.{number}.mlp.learn.{path}"] = value
        if twin.config.router:
            named[f"layers.{number}.mlp.router.weight"] = (
                twin.board.wrapper(number).routers[twin.name].detach()
            )
    return named


def exported(module: nn.Module) -> dict[str, torch.Tensor]:
    """Returns the tensors of one layer's learnable module under their names in the file."""
    own = getattr(module, "exported", None)
    return own() if own is not None else module.state_dict()


@torch.no_grad()
def fill_twin(twin: Twin, tensors: dict[str, torch.Tensor], folder: Path) -> None:
    """Writes stored tensors into a twin; those of 16 bits also into wider places, which hold them exactly.

    Raises:
        InputFault: names, shapes or dtypes are not the twin's.
    """
    places = stored_tensors(twin)
    if set(places) != set(tensors):
        odd = sorted(set(places) ^ set(tensors))
        raise layout.broken(folder, f"the tensors {', '.join(odd[:3])} are missing or too many")
    for name, value in tensors.items():
        fits = value.dtype == places[name].dtype or (value.dtype, places[name].dtype) == (SHORT, WIDE)
        if value.shape != places[name].shape or not fits:
            raise layout.broken(folder, f"{name} has another shape or dtype")
    # What `exported` gives, and a state dict, are views of the parameters.
    for name, value in tensors.items():
        places[name].copy_(value)


def is_short(folder: Path) -> bool:
    """Returns whether a stored twin has tensors of 16 bits that a wider twin is filled from."""
    return any(value.dtype == SHORT for value in _tensors(folder).values())


def _short(value: torch.Tensor) -> torch.Tensor:
    return value.to(SHORT) if value.dtype == WIDE else value


def described_base(board: Board, layers: list[int]) -> dict[str, Any]:
    """Returns who the base is: architecture, name, dtype, and the digest of each tensor."""
    model = board.model
    paths = {
        id(module): path for path, module in model.named_modules() if isinstance(module, TwinFeedForward)
    }
    touched = tuple(f"{paths[id(board.wrapper(number))]}." for number in layers)
    digests = tensor_digests(board.base_state())
    config = getattr(model, "config", None)
    name = str(getattr(config, "_name_or_path", "") or "")
    module = type(model).__module__
    return {
        "model_type": getattr(config, "model_type", ""),
        "class": type(model).__name__,
        "module": "transformers" if module.startswith("transformers.") else module,
        "name": Path(name).name,
        "revision": getattr(config, "_commit_hash", None),
        "dtype": str(getattr(model, "dtype", "")).removeprefix("torch."),
        "touched": {key: value for key, value in digests.items() if key.startswith(touched)},
        "others": {key: value for key, value in digests.items() if not key.startswith(touched)},
    }


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(folder / layout.TENSORS)
    except (SafetensorError, OSError) as error:
        raise layout.broken(folder, f"{layout.TENSORS} cannot be read") from error


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    import deixis

    return {
        "deixis": deixis.__version__,
        **{name: version(name) for name in ("torch", "transformers", "safetensors")},
    }
