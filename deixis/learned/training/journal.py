"""The log of a training: JSON lines, and where wanted and installed TensorBoard or trackio."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deixis.errors import InputFault, MissingExtra

LOG = "log.jsonl"


class Journal:
    """Writes figures by step.

    Args:
        folder: of the training.
        kept: a resumed training's step: lines of later steps, which come again, are cut off. 0 begins anew.
        trackers: ``tensorboard``, ``trackio``.

    Raises:
        MissingExtra: a tracker is not installed.
        InputFault: the folder cannot be written.
    """

    def __init__(self, folder: Path, kept: int = 0, trackers: Iterable[str] = ()) -> None:
        self.path = folder / LOG
        self._others: list[Any] = [_tracker(name, folder) for name in trackers]
        lines = [json.dumps(line) + "\n" for line in read(folder) if line["step"] <= kept] if kept else []
        try:
            part = self.path.with_name(f"{LOG}.part")
            part.write_text("".join(lines), "utf-8")
            part.replace(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def write(self, facts: dict[str, Any]) -> None:
        """Adds a line; `facts` has at least ``step``.

        Raises:
            InputFault: the disk is full.
        """
        try:
            with self.path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(facts) + "\n")
        except OSError as error:
            raise _unwritable(self.path, error) from error
        for other in self._others:
            other(facts)


def read(folder: Path) -> list[dict[str, Any]]:
    """Returns the lines of a training's log; a torn last line, from a kill, is left out."""
    path = folder / LOG
    found = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _tracker(name: str, folder: Path) -> Any:
    """Returns a function that takes the facts of a step."""
    try:
        if name == "tensorboard":
            from torch.utils.tensorboard import SummaryWriter

            writer = SummaryWriter(str(folder / "tensorboard"))

            def write(facts: dict[str, Any]) -> None:
                for key, value in _figures(facts).items():
                    writer.add_scalar(key, value, facts["step"])
                writer.flush()

            return write
        import trackio

        trackio.init(project=folder.name or "deixis")
        return lambda facts: trackio.log(_figures(facts), step=facts["step"])
    except ImportError as error:
        raise MissingExtra("learned", name, f"Logging to {name}") from error


def _figures(facts: dict[str, Any]) -> dict[str, float]:
    return {
        key: float(value) for key, value in facts.items() if isinstance(value, int | float) and key != "step"
    }


def _unwritable(path: Path, error: OSError) -> InputFault:
    return InputFault(
        "train.log.unwritable",
        f"The log {path.name} cannot be written: {error.strerror or error}.",
        "Make room, and go on with --resume.",
    )
