"""The runs on record: one folder a run, written while it happens, readable after a kill."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ValidationError

from deixis.answer import GroundedAnswer
from deixis.errors import InputFault
from deixis.store.blobs import write_whole
from deixis.trace import Action, Event, Observation, RunRecord, Step, Trace

Stored = TypeVar("Stored", bound=BaseModel)
RUN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


class RunLog:
    """The folder ``runs``: per run ``record.json``, ``events.jsonl`` and ``answer.json``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._open: dict[str, IO[bytes]] = {}

    # Writing

    def start(self, record: RunRecord) -> None:
        """Puts a run on record, before anything of it happens."""
        self._write_record(record)

    def append(self, event: Event) -> None:
        """Writes an event. It has left this process when the call returns: a kill cannot lose it."""
        if event.run not in self._open:
            path = self._folder(event.run) / "events.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[event.run] = path.open("ab", buffering=0)
        self._open[event.run].write(event.model_dump_json(exclude_none=True).encode() + b"\n")

    def finish(self, record: RunRecord, answer: GroundedAnswer | None) -> None:
        """Closes a run: its answer, if it has one, and then its header."""
        if (file := self._open.pop(record.run, None)) is not None:
            os.fsync(file.fileno())
            file.close()
        if answer is not None:
            data = answer.model_dump_json(exclude_none=True).encode()
            write_whole(self._folder(record.run) / "answer.json", data)
        self._write_record(record)

    def _write_record(self, record: RunRecord) -> None:
        data = record.model_dump_json(indent=1, exclude_none=True).encode()
        write_whole(self._folder(record.run) / "record.json", data)

    # Reading

    def records(self, limit: int | None = None) -> list[RunRecord]:
        """Returns the headers, newest first; a damaged one is shown as failed, not hidden."""
        ids = sorted((path.name for path in self._folders()), reverse=True)
        return [self._record(run) for run in ids[:limit]]

    def record(self, run: str) -> RunRecord:
        """Returns the header of a run, by its id or the beginning of it.

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
        """Returns the events of a run in order; a last line torn by a kill is left out.

        Raises:
            InputFault: there is no such run.
        """
        path = self._folder(self.find(run)) / "events.jsonl"
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        events = []
        for number, line in enumerate(lines):
            try:
                if line:
                    events.append(Event.model_validate_json(line))
            except ValidationError as error:
                if number >= len(lines) - 1:
                    break  # no newline behind it: the write was cut off
                raise InputFault(
                    "trace.events.damaged",
                    f"Line {number + 1} of the events of {run} is damaged.",
                    "The rest of the run cannot be told; ask again.",
                ) from error
        return events

    def answer(self, run: str) -> GroundedAnswer | None:
        """Returns the answer of a run, or None where it has none.

        Raises:
            InputFault: there is no such run.
        """
        return self._read(self._folder(self.find(run)) / "answer.json", GroundedAnswer.model_validate_json)

    def trace(self, run: str) -> Trace:
        """Returns the header and the steps of a run, rebuilt from its events.

        Raises:
            InputFault: there is no such run.
        """
        found = self.find(run)
        return Trace(record=self._record(found), steps=steps_of(self.events(found)))

    def remove(self, run: str) -> str:
        """Returns the id of the run whose record was deleted; its media stay.

        Raises:
            InputFault: there is no such run.
        """
        found = self.find(run)
        shutil.rmtree(self._folder(found))
        return found

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return [path for path in self.root.iterdir() if path.is_dir() and RUN_ID.fullmatch(path.name)]

    def _folder(self, run: str) -> Path:
        if not RUN_ID.fullmatch(run):
            raise InputFault(
                "trace.run.invalid", f"{run!r} is not the id of a run.", "See: deixis trace list"
            )
        return self.root / run

    def _record(self, run: str) -> RunRecord:
        record = self._read(self._folder(run) / "record.json", RunRecord.model_validate_json)
        if record is not None:
            return record
        return RunRecord(
            run=run,
            question="",
            profile="",
            graph="",
            started="",
            status="failed",
            error={"code": "trace.record.damaged", "message": "The record cannot be read.", "cure": ""},
        )

    @staticmethod
    def _read(path: Path, parse: Callable[[bytes], Stored]) -> Stored | None:
        try:
            return parse(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None


def steps_of(events: list[Event]) -> tuple[Step, ...]:
    """Returns the steps that events tell of, by index; a step without an end is there as far as it got."""
    steps: dict[int, dict[str, Any]] = {}
    for event in events:
        if event.step is None:
            continue
        step = steps.setdefault(event.step, {"index": event.step, "actions": [], "observations": []})
        if event.type == "step_started":
            step.update(kind=event.data["kind"], text=event.data["text"])
        elif event.type == "action":
            step["actions"].append(Action.model_validate(event.data))
        elif event.type == "observation":
            step["observations"].append(Observation.model_validate(event.data))
        elif event.type == "step_ended":
            step.update({key: event.data[key] for key in ("text", "seconds", "expert") if key in event.data})
    return tuple(Step.model_validate(steps[index]) for index in sorted(steps))
