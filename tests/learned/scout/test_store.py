"""The store survives kills, full disks and strangers without a lost, doubled or torn line."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deixis.errors import InputFault
from deixis.learned.scout.checks.form import form_rules
from deixis.learned.scout.checks.rule import Checker
from deixis.learned.scout.making import make_samples
from deixis.learned.scout.reading import samples
from deixis.learned.scout.store import SampleStore, read_manifest
from tests.learned.scout.conftest import by_hand

PLAN = {"maker": "hand/1", "seed": 3}
CHILD = """
import sys, time
from pathlib import Path
from tests.learned.scout.conftest import by_hand
from deixis.learned.scout.store import SampleStore
store = SampleStore(Path(sys.argv[1]), {"maker": "hand/1", "seed": 3}, batch=3)
with store:
    for unit in range(store.next_unit or 0, 100_000):
        good = [by_hand(question=f"Where is cup {unit} {k}?") for k in range(3)]
        store.add(unit, good, [by_hand(question=f"bad {unit}")])
        if unit % 2:  # half a line reaches the file, as from a full buffer
            store._files["samples.jsonl"].flush()
        print(unit, flush=True)
        time.sleep(0.002)
"""


def made(unit: int) -> list:
    return [by_hand(question=f"Where is cup {unit} {k}?") for k in range(2)]


def test_a_killed_process_loses_doubles_and_tears_nothing(tmp_path):
    root = Path(__file__).parents[3]
    for least in (7, 20):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "out")], cwd=root, stdout=subprocess.PIPE, text=True
        )
        for line in child.stdout:
            if int(line) >= least:
                break
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    with (tmp_path / "out" / "samples.jsonl").open("ab") as file:
        file.write(b'{"schema_version":1,"question":"torn')  # what a full page may leave
    store = SampleStore(tmp_path / "out", PLAN)
    with store:
        reached = store.next_unit
        assert reached is not None and reached % 3 == 0 and reached >= 18
        assert (store.kept, store.rejected) == (3 * reached, reached)
    asked = [sample.question for sample in samples(tmp_path / "out", strict=True)]
    assert asked == [f"Where is cup {unit} {k}?" for unit in range(reached) for k in range(3)]
    bad = [sample.question for sample in samples(tmp_path / "out" / "rejected.jsonl", strict=True)]
    assert bad == [f"bad {unit}" for unit in range(reached)]


def test_a_second_call_makes_only_what_is_left(tmp_path):
    calls: list[int] = []

    def make(unit: int) -> list:
        calls.append(unit)
        if unit == 5 and len(calls) < 7:
            raise KeyboardInterrupt
        return made(unit)

    checker = Checker(form_rules())
    with pytest.raises(KeyboardInterrupt):
        make_samples(SampleStore(tmp_path, PLAN), range(10), make, checker)
    assert not (tmp_path / "manifest.json").exists()
    outcome = make_samples(SampleStore(tmp_path, PLAN), range(10), make, checker)
    assert calls == [0, 1, 2, 3, 4, 5, 5, 6, 7, 8, 9] and outcome.resumed and outcome.units_made == 5
    assert outcome.statistics.samples == 20
    manifest = read_manifest(tmp_path)
    assert manifest["samples"] == 20 and manifest["plan"] == PLAN and manifest["units"] == 10
    assert manifest["statistics"]["tasks"] == {"where": 20}
    third = make_samples(SampleStore(tmp_path, PLAN), range(10), make, checker)
    assert third.units_made == 0 and len(calls) == 11
    more = make_samples(SampleStore(tmp_path, PLAN), range(12), make, checker)
    assert more.units_made == 2 and read_manifest(tmp_path)["samples"] == 24


def test_doubles_are_found_across_a_break(tmp_path):
    from deixis.learned.scout.checks.doubles import DoubleRule

    make_samples(SampleStore(tmp_path, PLAN), range(2), lambda unit: [by_hand()], Checker([DoubleRule()]))
    outcome = make_samples(
        SampleStore(tmp_path, PLAN), range(4), lambda unit: [by_hand()], Checker([DoubleRule()])
    )
    assert outcome.statistics.samples == 1 and outcome.statistics.rejected_by_rule == {"double": 3}
    rejected = list(samples(tmp_path / "rejected.jsonl"))
    assert len(rejected) == 3 and rejected[0].verdicts[0].note


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_full_disk_is_told_and_what_was_marked_is_safe(tmp_path, monkeypatch, after):
    store, real, calls = SampleStore(tmp_path, PLAN, batch=1), os.fsync, 0
    with store:
        store.add(0, made(0))

    def full(number: int) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(number)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputFault) as fault, SampleStore(tmp_path, PLAN, batch=1) as store:
        store.add(1, made(1))
        store.add(2, made(2))
    assert fault.value.code == "store.unwritable" and "No space" in fault.value.message
    monkeypatch.setattr(os, "fsync", real)
    with SampleStore(tmp_path, PLAN) as store:
        begun = store.next_unit
        for unit in range(begun, 4):
            store.add(unit, made(unit))
        store.finish({})
    asked = [sample.question for sample in samples(tmp_path, strict=True)]
    assert asked == [f"Where is cup {unit} {k}?" for unit in range(4) for k in range(2)]


def test_another_plan_is_refused(tmp_path):
    make_samples(SampleStore(tmp_path, PLAN), range(2), made, Checker([]))
    with pytest.raises(InputFault, match="another plan"), SampleStore(tmp_path, {**PLAN, "seed": 4}):
        pass
    assert read_manifest(tmp_path)["samples"] == 4


def test_a_strangers_file_is_never_cut(tmp_path):
    (tmp_path / "samples.jsonl").write_text("mine\n")
    with pytest.raises(InputFault, match="another plan"), SampleStore(tmp_path, PLAN):
        pass
    assert (tmp_path / "samples.jsonl").read_text() == "mine\n"


def test_two_writers_do_not_meet(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        holder.stdout.readline()
        time.sleep(0.05)
        with pytest.raises(InputFault) as fault, SampleStore(tmp_path, PLAN):
            pass
        assert fault.value.code == "scout.store.busy"
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_file_that_got_shorter_is_told(tmp_path):
    make_samples(SampleStore(tmp_path, PLAN), range(3), made, Checker([]))
    whole = (tmp_path / "samples.jsonl").read_bytes()
    (tmp_path / "samples.jsonl").write_bytes(whole[:-10])
    with pytest.raises(InputFault) as fault, SampleStore(tmp_path, PLAN):
        pass
    assert fault.value.code == "scout.store.short"
    with pytest.raises(InputFault) as fault:
        read_manifest(tmp_path)
    assert fault.value.code == "scout.manifest.changed"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [("progress.json", "{", "scout.store.broken"), ("progress.json", "[]", "scout.store.broken")],
)
def test_a_broken_mark_is_told(tmp_path, name, text, code):
    make_samples(SampleStore(tmp_path, PLAN), range(1), made, Checker([]))
    (tmp_path / name).write_text(text)
    with pytest.raises(InputFault) as fault, SampleStore(tmp_path, PLAN):
        pass
    assert fault.value.code == code


def test_manifests_that_are_not_there_or_broken(tmp_path):
    with pytest.raises(InputFault) as fault:
        read_manifest(tmp_path)
    assert fault.value.code == "scout.manifest.missing"
    (tmp_path / "manifest.json").write_text(json.dumps({"samples": 3}))
    with pytest.raises(InputFault) as fault:
        read_manifest(tmp_path)
    assert fault.value.code == "scout.manifest.broken"
