"""Reading samples: JSON lines, tolerant of broken ones, which are reported with their numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from deixis.errors import InputFault
from deixis.learned.scout.sample import Sample

MOST_BYTES = 4_000_000
"""A line above this is no sample; the longest of the world's are some ten thousand bytes."""
SHOWN = 200


class BrokenLine(InputFault):
    """A line that holds no sample: its number from 1, and why."""

    def __init__(self, path: Path, number: int, code: str, why: str) -> None:
        super().__init__(
            f"scout.line.{code}",
            f"{path.name}, line {number}: {why}.",
            "Mend or remove the line; without --strict it is passed over and counted.",
            line=number,
        )
        self.number = number
        self.why = why


@dataclass(frozen=True)
class Line:
    """A line of a file: its number from 1, and its sample or what is wrong with it."""

    number: int
    sample: Sample | None
    fault: BrokenLine | None = None


def lines(path: Path, most_bytes: int = MOST_BYTES) -> Iterator[Line]:
    """Yields every line that is not empty; what cannot be read is a `BrokenLine` in its place.

    A line longer than `most_bytes` is never held in memory as a whole.

    Raises:
        InputFault: the file cannot be opened.
    """
    path = samples_file(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputFault(
            "scout.file.missing",
            f"The samples {path} cannot be read: {error.strerror}.",
            "Name a .jsonl file, or a folder that `deixis scout make` wrote.",
        ) from error
    with file:
        number = 0
        while raw := file.readline(most_bytes + 1):
            number += 1
            if len(raw) > most_bytes and not raw.endswith(b"\n"):
                while (rest := file.readline(most_bytes)) and not rest.endswith(b"\n"):
                    pass
                yield Line(number, None, BrokenLine(path, number, "long", f"longer than {most_bytes} bytes"))
                continue
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if raw.strip():
                yield _line(path, number, raw)


def _line(path: Path, number: int, raw: bytes) -> Line:
    try:
        text = raw.decode("utf-8")
        data = json.loads(text, parse_constant=_constant)
    except UnicodeDecodeError:
        return Line(number, None, BrokenLine(path, number, "encoding", "not UTF-8"))
    except RecursionError:
        return Line(number, None, BrokenLine(path, number, "json", "nested too deeply"))
    except ValueError as error:
        cut = "" if raw.endswith(b"\n") else " (the file may be cut off)"
        return Line(number, None, BrokenLine(path, number, "json", f"not JSON: {str(error)[:SHOWN]}{cut}"))
    try:
        return Line(number, Sample.model_validate(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        why = f"not a sample: {first['msg']}{f' at {where}' if where else ''}"
        return Line(number, None, BrokenLine(path, number, "schema", why[: SHOWN * 2]))
    except RecursionError:
        return Line(number, None, BrokenLine(path, number, "json", "nested too deeply"))


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def samples(
    path: Path, *, strict: bool = False, broken: Callable[[BrokenLine], None] | None = None
) -> Iterator[Sample]:
    """Yields the samples of a file or a maker's folder.

    Args:
        strict: stop at the first broken line instead of passing over it.
        broken: is told of every line that is passed over.

    Raises:
        BrokenLine: with `strict`, at the first line that holds no sample.
        InputFault: the file cannot be opened.
    """
    for line in lines(path):
        if line.sample is not None:
            yield line.sample
        elif line.fault is not None:
            if strict:
                raise line.fault
            if broken is not None:
                broken(line.fault)


def samples_file(path: Path) -> Path:
    """Returns the file of samples: `path` itself, or the one in a maker's folder."""
    return path / "samples.jsonl" if path.is_dir() else path
