"""A gate that goes by a mark in the prompt: a task token, or the name of an output format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deixis.errors import InputFault
from deixis.learned.twin.gates.decision import Decision, decided


class MarkerGate:
    """Chooses the twin where a prompt holds one of the markers, letter for letter."""

    kind = "marker"

    def __init__(self, *markers: str) -> None:
        if not markers or not all(marker.strip() for marker in markers):
            raise InputFault("twin.marker.empty", "A marker is empty.", "Name a text such as <ground>.")
        self.markers = markers

    def decide(self, prompt: str) -> Decision:
        """Returns the twin where a marker stands in the prompt, else the frozen expert."""
        found = next((marker for marker in self.markers if marker in prompt), None)
        reason = f"marker {found}" if found else "no marker"
        return decided("marker", "learn" if found else "frozen", reason=reason)

    def settings(self) -> dict[str, Any]:
        """Returns the markers."""
        return {"kind": self.kind, "markers": list(self.markers)}

    def save(self, folder: Path) -> None:
        """Writes nothing: the settings are all there is."""
        folder.mkdir(parents=True, exist_ok=True)
