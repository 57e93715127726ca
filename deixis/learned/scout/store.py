"""Writing samples: JSON lines in a folder, resumable after a kill without a lost, doubled or torn line.

The unit of work is a number (a seed, or a place in a list of pictures). After a batch of units the lines are
brought to the disk, and then ``progress.json`` is replaced, which says how long the files are and which unit
comes next. Whoever resumes cuts the files to those lengths first: what was written after is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from deixis.errors import InputFault
from deixis.learned.scout.reading import samples
from deixis.learned.scout.sample import RuleVerdict, Sample
from deixis.store.blobs import writable, write_whole
from deixis.store.lease import hold, is_held

SAMPLES, REJECTED, PROGRESS, MANIFEST = "samples.jsonl", "rejected.jsonl", "progress.json", "manifest.json"
FORMAT = 1
BATCH = 50
"""Units between two marks of progress: what a kill costs, at most, in work."""


class SampleStore:
    """A folder of samples that is being written by one process.

    `plan` is everything that decides what is made; a folder with another plan is refused.
    """

    def __init__(self, folder: Path, plan: dict[str, Any], batch: int = BATCH) -> None:
        self.folder, self.plan, self._batch = folder, _plain(plan), batch
        self.next_unit: int | None = None
        """The unit that comes next; None for a folder that is new."""
        self.complete = False
        self.kept = self.rejected = 0
        self.by_rule: Counter[str] = Counter()
        self._files: dict[str, IO[bytes]] = {}
        self._since = 0
        self._whole = True

    def __enter__(self) -> Self:
        """Opens the folder, new or where its writer stopped.

        Raises:
            InputFault: somebody else writes there, it holds other samples, or it cannot be written.
        """
        with writable(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            progress = self._progress()
            if is_held(self.folder / SAMPLES):
                raise InputFault(
                    "scout.store.busy",
                    f"Another process is writing to {self.folder.name}.",
                    "Wait for it to end, or choose another folder.",
                )
            for name in (SAMPLES, REJECTED):
                file = (self.folder / name).open("ab")
                self._files[name] = file
                hold(file)
                self._cut(file, name, int(progress.get("bytes", {}).get(name, 0)))
        if not progress:
            self.mark()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Marks the progress where no unit is half written, and closes the files.

        What has no mark is made again by whoever resumes.
        """
        if self._whole and self._since:
            with contextlib.suppress(InputFault):
                self.mark()
        for file in self._files.values():
            try:
                file.close()
            except OSError:
                continue  # the disk is full; the marked part is on it
        self._files.clear()

    def written(self) -> Iterable[Sample]:
        """Yields the samples that are there already, for checks that compare with them."""
        self._files[SAMPLES].flush()
        yield from samples(self.folder / SAMPLES, strict=True)

    def add(self, unit: int, good: Sequence[Sample], bad: Sequence[Sample] = ()) -> None:
        """Writes all samples of a unit: those that passed their checks, and those that did not.

        Raises:
            InputFault: the disk is full; all up to the last mark of progress is safe.
        """
        self._whole = False
        with writable(self.folder):
            self._files[SAMPLES].write(b"".join(f"{one.line()}\n".encode("ascii") for one in good))
            self._files[REJECTED].write(b"".join(f"{one.line()}\n".encode("ascii") for one in bad))
            self.kept += len(good)
            self.rejected += len(bad)
            for one in bad:
                self.by_rule.update(failed(one.verdicts))
            self.next_unit = unit + 1
            self._since += 1
        self._whole = True
        if self._since >= self._batch:
            self.mark()

    def mark(self) -> None:
        """Brings everything to the disk and marks the progress.

        Raises:
            InputFault: the disk is full.
        """
        with writable(self.folder):
            sizes = {}
            for name, file in self._files.items():
                file.flush()
                os.fsync(file.fileno())
                sizes[name] = file.tell()
        state = {
            "format": FORMAT,
            "plan": self.plan,
            "next_unit": self.next_unit,
            "bytes": sizes,
            "samples": self.kept,
            "rejected": self.rejected,
            "rejected_by_rule": dict(sorted(self.by_rule.items())),
        }
        write_whole(self.folder / PROGRESS, _json(state))
        self._since = 0

    def finish(self, facts: dict[str, Any]) -> Path:
        """Returns the manifest, written at once: the plan, counts, digests and `facts`; the work is done.

        Raises:
            InputFault: the disk is full.
        """
        self.mark()
        files = {
            name: {"sha256": _digest(self.folder / name), "bytes": (self.folder / name).stat().st_size}
            for name in (SAMPLES, REJECTED)
        }
        manifest = {
            "format": FORMAT,
            "complete": True,
            "plan": self.plan,
            "samples": self.kept,
            "rejected": self.rejected,
            "rejected_by_rule": dict(sorted(self.by_rule.items())),
            "files": files,
            **_plain(facts),
        }
        write_whole(self.folder / MANIFEST, _json(manifest))
        return self.folder / MANIFEST

    def _progress(self) -> dict[str, Any]:
        """Returns the state at the last mark; nothing for a new folder."""
        path = self.folder / PROGRESS
        if not path.exists():
            for name in (SAMPLES, REJECTED, MANIFEST):
                if (self.folder / name).exists() and (self.folder / name).stat().st_size:
                    raise _other(self.folder)  # nothing that is not known to be a maker's is ever cut
            return {}
        try:
            state: dict[str, Any] = json.loads(path.read_bytes())
            plan, self.next_unit = state["plan"], state["next_unit"]
            self.kept, self.rejected = int(state["samples"]), int(state["rejected"])
            self.by_rule = Counter(state["rejected_by_rule"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputFault(
                "scout.store.broken",
                f"The mark of progress in {self.folder.name} cannot be read.",
                "Choose another folder, or remove this one.",
            ) from error
        if plan != self.plan:
            raise _other(self.folder)
        self.complete = (self.folder / MANIFEST).exists()
        return state

    def _cut(self, file: IO[bytes], name: str, size: int) -> None:
        there = file.seek(0, os.SEEK_END)
        if there < size:
            raise InputFault(
                "scout.store.short",
                f"{name} in {self.folder.name} is shorter than it was at the last mark of progress.",
                "Its end is lost: remove the folder and make the samples again.",
            )
        file.truncate(size)
        file.seek(0, os.SEEK_END)


def failed(verdicts: Iterable[RuleVerdict]) -> list[str]:
    """Returns the names of the rules that a sample did not pass."""
    return [verdict.rule for verdict in verdicts if not verdict.passed]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns the manifest of a folder whose work is done, with its files' digests compared.

    Raises:
        InputFault: there is none, it cannot be read, or a file is not what it says.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        files = manifest["files"].items()
    except OSError as error:
        raise InputFault(
            "scout.manifest.missing",
            f"{folder.name} has no manifest: its making has not ended.",
            "Run the same `deixis scout make` again; it goes on where it stopped.",
        ) from error
    except (ValueError, KeyError, AttributeError) as error:
        raise InputFault(
            "scout.manifest.broken", f"The manifest of {folder.name} cannot be read.", "Make it again."
        ) from error
    for name, facts in files:
        if not (folder / name).is_file() or _digest(folder / name) != facts["sha256"]:
            raise InputFault(
                "scout.manifest.changed",
                f"{name} in {folder.name} is not what its manifest says.",
                "Bring the file back, or make the samples again.",
            )
    return manifest


def _other(folder: Path) -> InputFault:
    return InputFault(
        "scout.store.other",
        f"{folder.name} holds samples of another plan.",
        "Choose another folder, or use the same settings as before to go on with it.",
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(data))
    return plain


def _json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
