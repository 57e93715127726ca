"""Verdicts kept on disk as they come, so that a measurement that was ended goes on where it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from deixis.errors import InputFault
from deixis.eval.agent.metric import Judged


class Kept:
    """A file of verdicts, one a line, each with the digest of what it was measured with."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[tuple[str, str, str], Judged] = {}
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        except OSError as error:
            raise InputFault(
                "eval.agent.kept", f"{path} cannot be used: {error}.", "Name another file: --keep FILE."
            ) from error
        for line in lines:
            version, _, text = line.partition("\t")
            try:
                one = Judged.model_validate_json(text)
            except ValidationError:
                continue  # a line that was cut short by the end of a process is measured again
            self._rows[(version, one.row, one.episode)] = one

    def get(self, version: str, row: str, episode: str) -> Judged | None:
        """Returns an earlier verdict; None where there is none by the same tools and planner."""
        return self._rows.get((_mark(version), row, episode))

    def put(self, version: str, one: Judged) -> None:
        """Keeps a verdict.

        Raises:
            InputFault: it cannot be written.
        """
        self._rows[(_mark(version), one.row, one.episode)] = one
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{_mark(version)}\t{one.model_dump_json()}\n")
        except OSError as error:
            raise InputFault(
                "eval.agent.kept", f"{self._path} cannot be written: {error}.", "Free some space."
            ) from error


def _mark(version: str) -> str:
    return hashlib.sha256(version.encode()).hexdigest()[:16]
