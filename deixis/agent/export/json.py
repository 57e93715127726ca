"""``answer.json``: the answer as it is, with its schema version; reading it back gives an equal answer."""

from __future__ import annotations

from pathlib import Path

from deixis.agent.export.protocol import MediaFiles
from deixis.answer import GroundedAnswer
from deixis.store.blobs import write_whole


class JsonExporter:
    """Writes the answer's own JSON; needs no media."""

    name = "json"

    def save(self, answer: GroundedAnswer, folder: Path, store: MediaFiles) -> list[Path]:
        """Returns the one file ``answer.json``; see `docs/schemas/grounded-answer.json`."""
        path = folder / "answer.json"
        write_whole(path, (answer.model_dump_json(indent=2) + "\n").encode())
        return [path]


def export() -> JsonExporter:
    """Returns the exporter ``json``."""
    return JsonExporter()
