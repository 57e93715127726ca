"""The log of runs: written while it happens, read back whole, kills and damage included."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.answer import GroundedAnswer, Relation
from deixis.errors import InputFault
from deixis.store import RunLog, lease
from deixis.trace import Action, Event, EventType, Observation, RunRecord, RunStatus

RUN = "20261121-070312-3f9a"


def record(run: str = RUN, status: RunStatus = "running", **facts: Any) -> RunRecord:
    return RunRecord(
        run=run, question="Who barks?", profile="light", graph="pipeline", started="2026-11-21T07:03:12Z",
        status=status, **facts,
    )  # fmt: skip


def event(seq: int, type_: EventType, on: int | None = None, of: str = RUN, /, **data: Any) -> Event:
    return Event(run=of, seq=seq, type=type_, at_s=seq / 10, step=on, data=data)


def answer(run: str = RUN, **facts: Any) -> GroundedAnswer:
    return GroundedAnswer(
        run=run, question="Who barks?", text="Nobody.", status="complete", profile="light", **facts
    )


@pytest.fixture
def log(tmp_path: Path) -> RunLog:
    return RunLog(tmp_path / "runs")


ACTION = Action(call="1.1", role="detection", tool="scripted", input={"phrases": ["dog"], "image": None})
SEEN = Observation(call="1.1", status="ok", output={"boxes": [[1, 2, 3, 4]], "none": None}, seconds=0.25)
FAULT = Observation(call="1.2", status="fault", fault={"code": "tool.timeout"})


def write_run(log: RunLog, run: str = RUN) -> None:
    log.start(record(run))
    steps: list[tuple[EventType, int | None, dict[str, Any]]] = [
        ("run_started", None, {}),
        ("step_started", 0, {"kind": "ingest", "text": "Looking"}),
        ("step_ended", 0, {"text": "One photo", "seconds": 0.5, "expert": "none"}),
        ("step_started", 1, {"kind": "locate", "text": "Locating"}),
        ("action", 1, ACTION.model_dump(mode="json")),
        ("observation", 1, SEEN.model_dump(mode="json")),
        ("action", 1, ACTION.model_copy(update={"call": "1.2"}).model_dump(mode="json")),
        ("observation", 1, FAULT.model_dump(mode="json")),
    ]
    for seq, (kind, step, data) in enumerate(steps):
        log.append(event(seq, kind, step, run, **data))


def test_steps_are_rebuilt_from_the_events(log: RunLog) -> None:
    write_run(log)
    log.append(event(8, "step_ended", 1, text="Located", seconds=1.5, expert="frozen"))
    log.finish(record(status="complete", steps=2), answer())
    trace = RunLog(log.root).trace(RUN)
    assert trace.record.status == "complete"
    first, second = trace.steps
    assert (first.index, first.kind, first.text, first.seconds) == (0, "ingest", "One photo", 0.5)
    assert (second.kind, second.text, second.expert) == ("locate", "Located", "frozen")
    assert [action.call for action in second.actions] == ["1.1", "1.2"]
    assert second.actions[0] == ACTION
    assert second.observations == (SEEN, FAULT)


def test_a_step_without_an_end_is_there_as_far_as_it_got(log: RunLog) -> None:
    write_run(log)
    last = RunLog(log.root).trace(RUN).steps[-1]
    assert (last.text, last.seconds, len(last.observations)) == ("Locating", 0, 2)


def test_events_are_readable_as_soon_as_they_are_written(log: RunLog) -> None:
    log.start(record())
    reader = RunLog(log.root)
    for seq in range(5):
        log.append(event(seq, "run_started", text="äöü 🐕\n\u2028"))
        assert [one.seq for one in reader.events(RUN)] == list(range(seq + 1))
    assert reader.events(RUN)[0].data["text"] == "äöü 🐕\n\u2028"


@given(
    data=st.dictionaries(
        st.text(max_size=5), st.none() | st.text(max_size=20) | st.integers() | st.booleans()
    )
)
def test_event_data_come_back_as_they_were(
    data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = RunLog(tmp_path_factory.mktemp("runs"))
    log.start(record())
    log.append(Event(run=RUN, seq=0, type="action", at_s=0, data=data))
    log.finish(record(status="complete"), None)
    assert log.events(RUN)[0].data == data


def test_an_answer_comes_back_as_it_was(log: RunLog) -> None:
    told = answer(
        relations=(Relation(sound=None, thing=None, verdict="unknown", reason="silence"),), seconds=1
    )
    log.start(record())
    log.finish(record(status="complete"), told)
    assert log.answer(RUN) == told


def test_a_run_without_an_answer_has_none(log: RunLog) -> None:
    log.start(record())
    log.finish(record(status="failed"), None)
    assert log.answer(RUN) is None
    assert log.record(RUN).status == "failed"


# Lists and ids


def test_runs_are_listed_newest_first(log: RunLog) -> None:
    assert log.records() == []
    ids = [f"2026112{day}-070312-3f9a" for day in (3, 1, 2)]
    for run in ids:
        log.start(record(run))
        log.finish(record(run, "complete"), None)
    assert [one.run for one in log.records()] == sorted(ids, reverse=True)
    assert [one.run for one in log.records(2)] == sorted(ids, reverse=True)[:2]


def test_a_run_is_found_by_the_beginning_of_its_id(log: RunLog) -> None:
    for run in (RUN, "20261121-080000-aaaa", "20261121-080000-aaaab"):
        log.start(record(run))
    assert log.record("20261121-07").run == RUN
    assert log.find("20261121-080000-aaaa") == "20261121-080000-aaaa"  # a whole id is never ambiguous
    for beginning, code in (
        ("2026", "trace.run.ambiguous"),
        ("1999", "trace.run.unknown"),
        ("", "trace.run.unknown"),
    ):
        with pytest.raises(InputFault) as caught:
            log.record(beginning)
        assert caught.value.code == code
        assert caught.value.cure
    with pytest.raises(InputFault) as caught:
        log.find("20261121-08")
    assert "20261121-080000-aaaa" in caught.value.message


@pytest.mark.parametrize(
    "run", ["", ".", "..", "../outside", "a/b", "a\\b", ".hidden", "a\0b", "a" * 65, "ä", "a\n"]
)
def test_an_id_that_is_no_file_name_is_refused(run: str, log: RunLog) -> None:
    with pytest.raises(InputFault) as caught:
        log.start(record(run))
    assert caught.value.code == "trace.run.invalid"
    assert not log.root.exists() or list(log.root.iterdir()) == []


def test_removing_a_run_takes_only_that(log: RunLog) -> None:
    for run in (RUN, "20261122-000000-0000"):
        log.start(record(run))
        log.finish(record(run, "complete"), None)
    assert log.remove(RUN[:12]) == RUN
    assert [one.run for one in log.records()] == ["20261122-000000-0000"]


# Kills and damage

KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.store.test_runs import RUN, event, write_run
from deixis.store import RunLog
log = RunLog(Path(sys.argv[1]))
write_run(log)
print("ready", flush=True)
seq = 8
while True:
    log.append(event(seq, "action", 1, call=f"1.{seq}", role="r" * 3000, tool="t"))
    seq += 1
"""


def test_a_killed_run_is_told_as_interrupted_with_all_it_wrote(log: RunLog) -> None:
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(log.root), root], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert log.record(RUN).status == "running"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    shown = log.record(RUN)
    assert (shown.status, shown.error and shown.error["code"]) == ("failed", "run.interrupted")
    assert shown.steps == 1
    assert log.records()[0] == shown
    events = log.events(RUN)
    assert [one.seq for one in events] == list(range(len(events)))
    assert len(log.trace(RUN).steps) == 2
    # Somebody takes the run up again: what comes next starts a line of its own.
    log.append(event(len(events), "step_ended", 1, text="Resumed"))
    assert log.events(RUN)[-1].data == {"text": "Resumed"}
    assert log.record(RUN).status == "running"


def test_a_run_that_is_being_written_is_running(log: RunLog) -> None:
    write_run(log)
    assert RunLog(log.root).record(RUN).status == "running"
    log.finish(record(status="degraded"), None)
    assert RunLog(log.root).record(RUN).status == "degraded"


def test_without_locks_the_age_of_the_last_event_decides(
    log: RunLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(log)
    monkeypatch.setattr(lease, "fcntl", None)
    assert log.record(RUN).status == "running"
    monkeypatch.setattr(lease, "STALE_S", -1.0)
    assert log.record(RUN).status == "failed"


@pytest.mark.parametrize(
    "tail", [b'{"version":1,"run":"2026', b"\0" * 300, b"{}", b"\xff\xfe", b'{"a":1}\n{"b']
)
def test_a_torn_end_is_left_out_and_mended(tail: bytes, log: RunLog) -> None:
    write_run(log)
    log.finish(record(), None)
    path = log.root / RUN / "events.jsonl"
    path.write_bytes(path.read_bytes() + tail)
    assert len(log.events(RUN)) == 8


def test_appending_after_a_torn_end_starts_a_new_line(log: RunLog) -> None:
    write_run(log)
    log.finish(record(), None)
    path = log.root / RUN / "events.jsonl"
    good = path.read_bytes()
    path.write_bytes(good + b'{"half":"' + b"x" * 200_000)
    fresh = RunLog(log.root)
    fresh.append(event(8, "answered"))
    assert [one.seq for one in fresh.events(RUN)] == list(range(9))
    assert path.read_bytes().startswith(good)


def test_damage_in_the_middle_is_told(log: RunLog) -> None:
    write_run(log)
    path = log.root / RUN / "events.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[3] = b"garbage"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(InputFault) as caught:
        log.events(RUN)
    assert caught.value.code == "trace.events.damaged"
    assert "Line 4" in caught.value.message


def test_events_that_are_no_steps_are_told(log: RunLog) -> None:
    log.start(record())
    log.append(
        event(0, "action", 0, call="0.1", role="detection", tool="scripted")
    )  # a step without a beginning
    with pytest.raises(InputFault) as caught:
        log.trace(RUN)
    assert caught.value.code == "trace.events.damaged"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"run": 7}', b"\xff" * 9, None])
def test_a_damaged_header_is_shown_as_failed_beside_the_others(content: bytes | None, log: RunLog) -> None:
    write_run(log)
    good = "20261122-000000-0000"
    log.start(record(good))
    log.finish(record(good, "complete"), None)
    header = log.root / RUN / "record.json"
    if content is None:
        header.unlink()
    else:
        header.write_bytes(content)
    newest, damaged = log.records()
    assert (newest.run, newest.status) == (good, "complete")
    assert (damaged.run, damaged.status) == (RUN, "failed")
    assert damaged.error is not None
    assert damaged.error["code"] == "trace.record.damaged"


def test_a_damaged_answer_is_told_and_not_taken_for_none(log: RunLog) -> None:
    log.start(record())
    log.finish(record(status="complete"), answer())
    (log.root / RUN / "answer.json").write_text(json.dumps({"run": RUN}))
    with pytest.raises(InputFault) as caught:
        log.answer(RUN)
    assert caught.value.code == "trace.file.damaged"


def test_strange_files_among_the_runs_are_passed_over(log: RunLog) -> None:
    write_run(log)
    (log.root / "notes.txt").write_text("mine")
    (log.root / "empty-folder").mkdir()
    (log.root / ".hidden").mkdir()
    assert [one.run for one in log.records()] == [RUN]


def test_threads_that_write_runs_side_by_side(log: RunLog) -> None:
    ids = [f"20261121-070312-{number:04x}" for number in range(12)]

    def work(run: str) -> None:
        write_run(log, run)
        log.finish(record(run, "complete"), answer(run))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, ids))
    assert [one.status for one in log.records()] == ["complete"] * 12
    assert all(len(log.events(run)) == 8 for run in ids)


def test_threads_that_write_one_run_keep_whole_lines(log: RunLog) -> None:
    log.start(record())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seq: log.append(event(seq, "action", text="x" * 5000)), range(200)))
    assert sorted(one.seq for one in log.events(RUN)) == list(range(200))


def test_a_finished_run_keeps_no_file_open(log: RunLog) -> None:
    write_run(log)
    assert len(log._open) == 1
    log.finish(record(status="complete"), None)
    assert log._open == {}


def test_a_run_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(InputFault) as caught:
        RunLog(tmp_path / "runs").start(record())
    assert caught.value.code == "store.unwritable"
