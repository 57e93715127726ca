"""Rows of pictures and sounds kept on disk, so that a training looks at each only once.

A folder holds for each kind of medium a file of 16-bit numbers, all records of one length, and a list of
digests, one a line, in the same order. A record is written before its digest: what was cut short by a kill
is written again. One process writes at a time.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deixis.errors import InputFault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from deixis.learned.mllm.modeling import PocketForConditionalGeneration

ROWS_VERSION = "2"
"""Changes whenever the same encoder would give other rows."""
DIGEST = 71
Kind = Literal["pictures", "sounds"]


def encoder_digest(model: PocketForConditionalGeneration, kind: Kind) -> str:
    """Returns the digest of what makes the rows of a kind: weights and settings."""
    encoder = model.model.eye if kind == "pictures" else model.model.ear
    config = model.config
    parts = [config.objects, config.cells, config.side] if kind == "pictures" else []
    parts += [config.events, config.windows, sorted((config.ear or {}).items())] if kind == "sounds" else []
    # As JSON: a stored model's settings have lists where a new one's have tuples, and another order of keys.
    plain = json.dumps([ROWS_VERSION, kind, parts], sort_keys=True)
    found = hashlib.sha256(plain.encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        found.update(name.encode())
        found.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return f"sha256:{found.hexdigest()}"


class FeatureStore:
    """The rows of one kind of medium by one encoder."""

    def __init__(self, folder: Path, kind: Kind, encoder: str, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._home = folder / f"{kind}-{encoder.removeprefix('sha256:')[:16]}"
        self._length = shape[0] * shape[1] * 2
        self._data, self._names = self._home / "rows.f16", self._home / "digests.txt"
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._data.touch()
            self._names.touch()
            lines = self._names.read_text("ascii").splitlines()
            whole = [line for line in lines if len(line) == DIGEST]
            count = min(len(whole), self._data.stat().st_size // self._length)
            if count != len(lines) or self._names.stat().st_size != len(lines) * (DIGEST + 1):
                self._names.write_text("".join(f"{line}\n" for line in whole[:count]), "ascii")
            if self._data.stat().st_size != count * self._length:
                with self._data.open("r+b") as file:
                    file.truncate(count * self._length)
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(self._home, error) from error
        self._rows = {digest: number for number, digest in enumerate(whole[:count])}
        self._map: Any = None

    def __contains__(self, digest: str) -> bool:
        return digest in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, digest: str, rows: NDArray[Any]) -> None:
        """Keeps the rows of a medium.

        Raises:
            InputFault: they cannot be written.
            ValueError: they have another shape, or the digest is none.
        """
        if rows.shape != self.shape or len(digest) != DIGEST:
            raise ValueError(f"rows of shape {rows.shape}, not {self.shape}, of {digest!r}")
        if digest in self._rows:
            return
        try:
            with self._data.open("ab") as file:
                file.write(np.ascontiguousarray(rows, dtype="<f2").tobytes())
            with self._names.open("a", encoding="ascii") as file:
                file.write(f"{digest}\n")
        except OSError as error:
            raise _unusable(self._home, error) from error
        self._rows[digest] = len(self._rows)

    def get(self, digest: str) -> NDArray[Any]:
        """Returns the rows (r, f) of a medium, 16 bits.

        Raises:
            KeyError: they are not kept.
        """
        place = self._rows[digest]
        if self._map is None or place >= len(self._map):
            self._map = np.memmap(self._data, "<f2", "r", shape=(len(self._rows), *self.shape))
        return np.asarray(self._map[place])


def _unusable(home: Path, error: Exception) -> InputFault:
    return InputFault(
        "mllm.features.unusable",
        f"The features in {home.name} cannot be kept: {error}",
        "Free some space, or name another folder.",
    )
