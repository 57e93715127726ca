"""Trained pocket files copied into the package, and the card by which the package checks them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.learned.publish import taken_in
from deixis.tools.pocket.shipped import CARD
from deixis.tools.weights.digest import sha256_of

ENDINGS = (".onnx", ".safetensors")
LARGEST_BYTES = 25_000_000
"""All pocket files together, with the card."""


def ship(folder: Path, to: Path) -> dict[str, Any]:
    """Returns the package's card after every trained file of `folder` was copied to `to`.

    A trained file is NAME.onnx or NAME.safetensors with its card NAME.json beside it. Files and cards of
    `to` that `folder` does not have stay. Nothing is written unless everything fits together; the card is
    written last, each file whole or not at all.

    Args:
        folder: where ``deixis train pocket`` wrote.
        to: the package's folder ``deixis/tools/pocket``.

    Raises:
        InputFault: there is no trained file; one has no card, or another digest than its card says; the
            card of `to` is damaged; all together are larger than `LARGEST_BYTES`; `to` cannot be written.
    """
    trained = sorted(path for path in folder.glob("*") if path.suffix in ENDINGS)
    if not trained:
        raise InputFault(
            "train.ship.none",
            f"{folder.name} holds no trained file.",
            "Name the folder that deixis train pocket --out wrote to.",
        )
    cards = {path.name: _card_of(path) for path in trained}
    files = {**_shipped_cards(to), **cards}
    content = (json.dumps({"files": dict(sorted(files.items()))}, indent=1) + "\n").encode()
    others = [to / name for name in files if name not in cards]
    _check_size([*trained, *(path for path in others if path.is_file())], len(content))
    taken_in({**{to / path.name: path.read_bytes() for path in trained}, to / CARD: content})
    return {"files": files}


def _card_of(path: Path) -> dict[str, Any]:
    """Returns the card of a trained file whose digest is the card's."""
    try:
        card = json.loads(path.with_suffix(".json").read_text("utf-8"))
        expected = str(card["digest"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFault(
            "train.ship.card",
            f"{path.name} has no card beside it that names its digest: {error}",
            "Train it again: only files with a card are shipped.",
        ) from error
    found = f"sha256:{sha256_of(path)}"
    if found != expected:
        raise InputFault(
            "train.ship.digest",
            f"{path.name} is not the file of its card: its digest is {found}, expected was {expected}.",
            "Train it again, or bring both files of one training.",
        )
    return dict(card)


def _shipped_cards(to: Path) -> dict[str, Any]:
    path = to / CARD
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text("utf-8"))["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputFault(
            "train.ship.card",
            f"The card {path} is damaged: {error}",
            "Restore it from the repository, or remove it and ship every part again.",
        ) from error


def _check_size(paths: list[Path], card_bytes: int) -> None:
    total = card_bytes + sum(path.stat().st_size for path in paths)
    if total > LARGEST_BYTES:
        sizes = ", ".join(f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in paths)
        raise InputFault(
            "train.ship.size",
            f"The pocket files take {total / 1e6:.1f} MB of at most {LARGEST_BYTES / 1e6:.0f}: {sizes}.",
            "Train a part with --preset small.",
        )
