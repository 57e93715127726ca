"""The runs on record: one folder a run, written while it happens, readable after a kill."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from deixis.answer import GroundedAnswer
from deixis.errors import InputFault
from deixis.store import lease
from deixis.store.blobs import writable, write_whole
from deixis.store.replay import steps_of
from deixis.trace import Event, RunRecord, Trace

Stored = TypeVar("Stored", bound=BaseModel)
RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


class RunLog:
    """The folder ``runs``: per run ``record.json``, ``events.jsonl`` and ``answer.json``.

    Several threads and processes may read; one writes a run.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: dict[str, IO[bytes]] = {}
        self._lock = threading.Lock()

    # Writing

    def start(self, record: RunRecord) -> None:
        """Puts a run on record, before anything of it happens.

        Raises:
            InputFault: its id is no file name, or the disk is full or not writable.
        """
        with self._lock:
            self._file(record.run)
        self._write_record(record)

    def append(self, event: Event) -> None:
        """Writes an event. It has left this process when the call returns: a kill cannot lose it.

        Raises:
            InputFault: the disk is full or not writable.
        """
        line = memoryview(event.model_dump_json().encode() + b"\n")
        folder = self._folder(event.run)
        with self._lock:
            file = self._file(event.run)
            with writable(folder):
                while line:  # an unbuffered write may take less than it was given
                    line = line[file.write(line) :]

    def finish(self, record: RunRecord, answer: GroundedAnswer | None) -> None:
        """Closes a run: its answer, if it has one, and then its header.

        Raises:
            InputFault: the disk is full or not writable.
        """
        folder = self._folder(record.run)
        if answer is not None:
            write_whole(folder / "answer.json", dumped(answer))
        self._write_record(record)
        with self._lock:
            file = self._open.pop(record.run, None)
        if file is not None:
            with writable(folder), file:
                os.fsync(file.fileno())

    def _file(self, run: str) -> IO[bytes]:
        """Returns the run's event file, open for appending, its last line whole."""
        if run not in self._open:
            folder = self._folder(run)
            with writable(folder):
                file = (folder / "events.jsonl").open("ab+", buffering=0)
                lease.hold(file)
                _mend(file)
            self._open[run] = file
        return self._open[run]

    def _write_record(self, record: RunRecord) -> None:
        write_whole(self._folder(record.run) / "record.json", dumped(record))

    # Reading

    def records(self, limit: int | None = None) -> list[RunRecord]:
        """Returns the headers, newest first; a damaged one is shown as failed, not hidden."""
        ids = sorted((path.name for path in self._folders()), reverse=True)
        return [self._record(run) for run in ids[:limit]]

    def record(self, run: str) -> RunRecord:
        """Returns the header of a run, by its id or the beginning of it.

        A run that says it is running, but that nobody writes any more, comes back as failed with the
        code ``run.interrupted``.

        Raises:
            InputFault: there is no such run, or more than one.
        """
        return self._record(self.find(run))

    def find(self, run: str) -> str:
        """Returns the whole id of a run, given its beginning.

        Raises:
            InputFault: there is no such run, or more than one.
        """
        found = [path.name for path in self._folders() if path.name.startswith(run)] if run else []
        if run in found:
            return run
        if len(found) == 1:
            return found[0]
        if not found:
            raise InputFault("trace.run.unknown", f"There is no run {run!r}.", "See: deixis trace list")
        raise InputFault(
            "trace.run.ambiguous",
            f"{len(found)} runs begin with {run!r}: {', '.join(sorted(found)[:5])}.",
            "Give more of the id.",
        )

    def events(self, run: str) -> list[Event]:
        """Returns the events of a run in order; an end torn by a kill is left out.

        Raises:
            InputFault: there is no such run, or its events are damaged in the middle.
        """
        found = self.find(run)
        path = self._folder(found) / "events.jsonl"
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        events: list[Event] = []
        torn: int | None = None
        for number, line in enumerate(lines, 1):
            if not line.strip(b"\0 \r"):
                continue
            try:
                event = Event.model_validate_json(line)
            except ValidationError:
                torn = torn or number
                continue
            if torn is not None:
                raise InputFault(
                    "trace.events.damaged",
                    f"Line {torn} of the events of {found} is damaged.",
                    "The file was changed or its disk failed; ask again.",
                )
            events.append(event)
        return events

    def answer(self, run: str) -> GroundedAnswer | None:
        """Returns the answer of a run, or None where it has none.

        Raises:
            InputFault: there is no such run, or its answer is damaged.
        """
        found = self.find(run)
        try:
            return self._read(found, "answer.json", GroundedAnswer.model_validate_json)
        except FileNotFoundError:
            return None

    def trace(self, run: str) -> Trace:
        """Returns the header and the steps of a run, rebuilt from its events.

        Raises:
            InputFault: there is no such run, or its events are damaged.
        """
        found = self.find(run)
        return Trace(record=self._record(found), steps=steps_of(self.events(found)))

    def lines(self, run: str) -> list[bytes]:
        """Returns the events of a run as they lie on the disk, in order, without the line ends.

        Raises:
            InputFault: there is no such run, or its events are damaged in the middle.
        """
        whole = len(self.events(run))
        path = self._folder(self.find(run)) / "events.jsonl"
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        return [line for line in lines if line.strip(b"\0 \r")][:whole]

    def stored(self, run: str, part: Literal["record", "answer"]) -> bytes:
        """Returns the bytes of a run's header or answer; empty where it has none.

        Raises:
            InputFault: there is no such run.
        """
        path = self._folder(self.find(run)) / f"{part}.json"
        return path.read_bytes() if path.is_file() else b""

    def is_held(self, run: str) -> bool:
        """Returns whether somebody is writing a run."""
        return lease.is_held(self._folder(self.find(run)) / "events.jsonl")

    def remove(self, run: str) -> str:
        """Returns the id of the run whose record was deleted; its media stay.

        Raises:
            InputFault: there is no such run, or it is still being written.
        """
        found = self.find(run)
        if self.is_held(found):
            raise InputFault(
                "trace.run.busy", f"The run {found} is going on in another process.", "Wait for its end."
            )
        shutil.rmtree(self._folder(found))
        return found

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return [path for path in self.root.iterdir() if RUN_ID.fullmatch(path.name) and _is_run(path)]

    def _folder(self, run: str) -> Path:
        if not RUN_ID.fullmatch(run):
            raise InputFault(
                "trace.run.invalid", f"{run!r} is not the id of a run.", "See: deixis trace list"
            )
        return self.root / run

    def _record(self, run: str) -> RunRecord:
        try:
            record = self._read(run, "record.json", RunRecord.model_validate_json)
        except (FileNotFoundError, InputFault):
            return _failed(
                RunRecord(run=run, question="", profile="", graph="", started="", status="failed"),
                "trace.record.damaged",
                "The header of the run cannot be read.",
            )
        if record.status != "running" or lease.is_held(self._folder(run) / "events.jsonl"):
            return record
        try:
            events = self.events(run)
        except InputFault:
            events = []
        told = {
            "steps": sum(event.type == "step_ended" for event in events),
            "seconds": events[-1].at_s if events else 0.0,
        }
        return _failed(
            record.model_copy(update=told), "run.interrupted", "The run was ended from outside, by a kill?"
        )

    def _read(self, run: str, file: str, parse: Callable[[bytes], Stored]) -> Stored:
        """Returns what a file of a run holds.

        Raises:
            FileNotFoundError: the run has no such file.
            InputFault: it is damaged.
        """
        try:
            return parse((self._folder(run) / file).read_bytes())
        except (ValidationError, IsADirectoryError) as error:
            raise InputFault(
                "trace.file.damaged",
                f"The file {file} of the run {run} cannot be read.",
                "It was changed, or written by another version of deixis.",
            ) from error


def dumped(part: RunRecord | GroundedAnswer) -> bytes:
    """Returns a header or an answer as it is written."""
    indent = 1 if isinstance(part, RunRecord) else None
    return part.model_dump_json(indent=indent, exclude_none=True).encode()


def _failed(record: RunRecord, code: str, message: str) -> RunRecord:
    cure = "What was found before is kept; ask again for the rest."
    return record.model_copy(
        update={"status": "failed", "error": {"code": code, "message": message, "cure": cure}}
    )


def _is_run(folder: Path) -> bool:
    """Returns whether a folder holds a run, if only a damaged one, and not one that is just beginning."""
    if (folder / "record.json").exists():
        return True
    try:
        return (folder / "events.jsonl").stat().st_size > 0
    except OSError:
        return False


def _mend(file: IO[bytes]) -> None:
    """Cuts off a last line that a kill left without an end, so that the next event starts a new one."""
    size = file.seek(0, os.SEEK_END)
    at, whole = size, 0
    while at > 0 and whole == 0:
        start = max(0, at - 65536)
        file.seek(start)
        found = file.read(at - start).rfind(b"\n")
        whole = start + found + 1 if found >= 0 else 0
        at = start
    if whole < size:
        file.truncate(whole)
