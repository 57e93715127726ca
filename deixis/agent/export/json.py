"""``answer.json``: the answer, whole; reading it back gives the same answer."""

from __future__ import annotations

from pathlib import Path

from deixis.agent.export.protocol import ExportStore
from deixis.answer import GroundedAnswer
from deixis.store.blobs import write_whole


class JsonExporter:
    """Writes the answer by its schema (docs/schemas)."""

    name = "json"

    def save(self, answer: GroundedAnswer, folder: Path, store: ExportStore) -> list[Path]:
        """Returns the one file written."""
        path = folder / "answer.json"
        write_whole(path, answer.model_dump_json(indent=1, exclude_none=True).encode())
        return [path]


def export() -> JsonExporter:
    """Returns the exporter."""
    return JsonExporter()
