"""The pocket files of the package: found, and checked against the digests of their card."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.tools.weights.digest import sha256_of

CARD = "pocket.json"
WORDS, EYE = "words.safetensors", "eye.onnx"


@cache
def card() -> dict[str, Any]:
    """Returns the card of the pocket files: by file name the digest, recipe, data, figures, licence.

    Raises:
        InputFault: the card is not there or is no JSON object.
    """
    path = Path(str(files("deixis.tools.pocket").joinpath(CARD)))
    try:
        found = json.loads(path.read_text("utf-8"))
        return dict(found["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputFault(
            "tools.pocket.card",
            f"The card of the pocket networks, {CARD}, cannot be read: {error}",
            "Install the package again, or train them: deixis train pocket",
        ) from error


@cache
def shipped(name: str) -> Path:
    """Returns the path of a pocket file of the package, once its digest is the card's.

    Raises:
        InputFault: there is no such file, or its digest is not the one the card expects.
    """
    path = Path(str(files("deixis.tools.pocket").joinpath(name)))
    expected = str(card().get(name, {}).get("digest", ""))
    check(path, expected)
    return path


def check(path: Path, expected: str) -> None:
    """Returns nothing where the file is there and has the digest ``sha256:…``.

    Raises:
        InputFault: it is not there, or has another.
    """
    part = path.name.partition(".")[0]
    cure = f"Install the package again, or train it: deixis train pocket --part {part}"
    if not path.is_file():
        raise InputFault("tools.pocket.missing", f"The pocket file {path.name} is not there.", cure)
    found = f"sha256:{sha256_of(path)}"
    if found != expected:
        raise InputFault(
            "tools.pocket.digest",
            f"The pocket file {path.name} is damaged or of another version: its digest is {found}, "
            f"expected was {expected or 'none, for the card does not list it'}.",
            cure,
        )
