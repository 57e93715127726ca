"""Checks against other samples: doubles, and what belongs to a test set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from deixis.errors import InputFault
from deixis.learned.scout.checks.rule import SimpleRule
from deixis.learned.scout.sample import Sample
from deixis.learned.scout.sources import world_seed

TEST_SEEDS = range(0, 100_000)
"""Those of `deixis.learned.world.scenes`, written here so that a check of photos draws nothing."""


class DoubleRule:
    """No sample is there twice: neither its content, nor its question about the same media."""

    name = "double"

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._asked: set[int] = set()

    def fault(self, sample: Sample) -> str:
        """Returns which kind of double it is."""
        if sample.id in self._ids:
            return "the same sample is there already"
        return "the same question was asked of the same media" if _asked(sample) in self._asked else ""

    def accepted(self, sample: Sample) -> None:
        """Remembers the sample."""
        self._ids.add(sample.id)
        self._asked.add(_asked(sample))


def _asked(sample: Sample) -> int:
    question = " ".join(sample.question.casefold().split()).rstrip("?.! ")
    return hash((question, tuple(sorted(medium.digest for medium in sample.media))))


class LeakRule(SimpleRule):
    """Nothing of a test set is trained on; samples that are themselves of the split ``test`` may be.

    `refused` are digests of media, paths, file names with or without suffix, or numbers of pictures (COCO's:
    42 is also ``COCO_val2014_000000000042.jpg``).
    """

    name = "leak"

    def __init__(self, refused: Iterable[str] = (), seeds: range = TEST_SEEDS) -> None:
        self._refused = {_plain(one) for one in refused} - {""}
        self._seeds = seeds

    def fault(self, sample: Sample) -> str:
        """Returns which medium is of a test set."""
        if sample.split == "test":
            return ""
        for medium in sample.media:
            seed = world_seed(medium.source)
            if seed is not None and seed in self._seeds:
                return f"{medium.source} is of the world's test seeds"
            names = (
                {medium.digest, medium.source} if seed is not None else _names(medium.source, medium.digest)
            )
            if names & self._refused:
                return f"{medium.source} is of a test set"
        return ""


def _plain(name: str) -> str:
    text = name.strip()
    return str(int(text)) if text.isdigit() else text


def _names(source: str, digest: str) -> set[str]:
    """Returns everything by which a list may name a file: path, name, stem, number, digest."""
    path = PurePosixPath(source)
    found = {source, path.name, path.stem, digest}
    if number := re.search(r"(\d+)$", path.stem):
        found.add(str(int(number[1])))
    return found


def refused_names(path: Path) -> list[str]:
    """Returns the names in a list of what may not be trained on: one a line, ``#`` begins a remark.

    Raises:
        InputFault: the list cannot be read.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputFault(
            "scout.refused.unreadable",
            f"The list {path} cannot be read.",
            "Give a text file with a digest, file name or picture number on each line.",
        ) from error
    return [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]
