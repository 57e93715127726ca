"""Gates beside a stored twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.learned.twin.gates.classifier import WEIGHTS, PromptGate
from deixis.learned.twin.gates.features import Embed
from deixis.learned.twin.gates.marker import MarkerGate
from deixis.learned.twin.gates.protocol import Gate


def load_gate(settings: dict[str, Any], folder: Path, embed: Embed | None = None) -> Gate | None:
    """Returns the gate that `settings` describe; None for one that needs an `embed` that was not given.

    Raises:
        InputFault: the settings or the files are not those of a gate.
    """
    try:
        if settings["kind"] == "marker":
            return MarkerGate(*(str(marker) for marker in settings["markers"]))
        if settings["kind"] == "classifier":
            if settings["features"] == "embedding" and embed is None:
                return None
            from safetensors.numpy import load_file

            arrays = load_file(folder / WEIGHTS)
            weights = arrays["weights"]
            if weights.shape != (int(settings["size"]),):
                raise ValueError("the weights have another size")
            chosen = embed if settings["features"] == "embedding" else None
            return PromptGate(
                weights, float(settings["bias"]), float(settings["threshold"]), chosen, arrays["seen"]
            )
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise InputFault(
            "twin.gate.broken", f"The gate in {folder} cannot be read: {error}.", "Train it again."
        ) from error
    raise InputFault(
        "twin.gate.kind", f"There is no gate of the kind {settings['kind']!r}.", "Use marker or classifier."
    )
