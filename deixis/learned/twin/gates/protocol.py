"""What a gate is: something that decides for a prompt, and can be stored beside the twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from deixis.learned.twin.gates.decision import Decision


@runtime_checkable
class Gate(Protocol):
    """Decides between the frozen expert and the twin from the text of a prompt."""

    kind: str

    def decide(self, prompt: str) -> Decision:
        """Returns the expert for one prompt, with score and threshold where there are any."""
        ...

    def settings(self) -> dict[str, Any]:
        """Returns what is needed to build the gate again, JSON-like, tensors aside."""
        ...

    def save(self, folder: Path) -> None:
        """Writes the gate's files into `folder`."""
        ...
