"""Kill −9 at random points of runs: does every resumed run end with the same answer, no step lost or doubled?

    python -m tests.bench.agent_kill [docs/numbers/agent-kill.json] [--kills 200] [--savers sqlite postgres]

Each run is a process of its own, which is killed after an event drawn at random and a moment drawn at random
behind it; a third of the resumed runs are killed once more. What must hold then: the answer of an undisturbed
run (but for its id and seconds), its steps word for word, every event of it exactly once, numbered without a
gap, and a record that replays byte for byte. Planners: rules, a script, and none (pipeline); tools take 2 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import math
import os
import platform
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # no threads before the forks

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.graphs.past import key_of
from deixis.graphs.planning.protocol import Gating, NextStep, PlanReply, PlanRequest
from tests.graphs import fakes
from tests.services import postgres

TOOL_S = 0.002
SCRIPT: list[dict[str, Any]] = [
    {
        "kind": "find",
        "calls": [{"do": "tag"}, {"do": "ground", "phrases": ["dog", "zebra"]}, {"do": "hear"}],
    },
    {"kind": "locate", "reading": "#1 is a dog.", "calls": [{"do": "ground", "phrases": ["a Zebra", "cat"]}]},
    {"kind": "relate", "reading": "A cat is there as well.", "calls": [{"do": "match"}]},
    {
        "kind": "answer",
        "reading": "The dog barks.",
        "text": "The dog makes the bark, not the cat.",
        "claims": [
            {"phrase": "dog", "refs": ["1.2#1"]}, {"phrase": "bark", "refs": ["~1"]},
            {"phrase": "cat", "refs": ["2.1#1"]},
        ],
        "linked": [{"sound": "~1", "thing": "1.2#1", "verdict": "matched"}],
    },
]  # fmt: skip
CASES = ("rules", "script", "pipeline")
QUESTION = "What is making this sound?"


class Steady:
    """A planner that follows a script by the steps taken; another process can ask it as well."""

    name, version = "steady", "1"

    async def gate(self, question: str) -> Gating:
        return Gating(expert="learn", reason="by the script")

    async def __call__(self, request: PlanRequest, media: Any) -> PlanReply:
        taken = sum(step.kind not in ("verify", "answer") for step in request.steps)
        return PlanReply(step=NextStep.model_validate(SCRIPT[min(taken, len(SCRIPT) - 1)]), tokens=10)


def agent(home: Path, case: str, address: str, calls: Path) -> Agent:
    """Returns an agent whose tools take a moment and note that they were called."""

    def slow(role: str) -> Callable[[Any], Any]:
        def answer(request: Any) -> Any:
            with calls.open("a") as file:
                file.write(f"{role}\n")
            time.sleep(TOOL_S)
            return getattr(fakes, role)(request)

        return answer

    roles = ("tagging", "detection", "hearing", "segmentation", "matching", "linking")
    planner: Any = {"rules": "rules", "script": Steady(), "pipeline": None}[case]
    return Agent(
        Profile(name="fakes", tools={}),
        home=home,
        tools=fakes.tools(**{role: slow(role) for role in roles}),
        graph="pipeline" if case == "pipeline" else "stepwise",
        planner=planner,
        checkpoints=address or None,
    )


def started(work: Callable[[Callable[[Any], None]], None]) -> tuple[int, int]:
    """Returns the id of a process that does `work`, and a pipe that gets a byte for each event."""
    out, into = os.pipe()
    child = os.fork()
    if child:
        os.close(into)
        return child, out
    os.close(out)
    code = 1
    try:
        work(lambda event: os.write(into, b"."))
        code = 0
    except BaseException as error:  # the parent only sees the exit code
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(code)


def killed(work: Callable[[Callable[[Any], None]], None], after: int, gap_s: float) -> bool:
    """Returns whether a process was killed, a moment behind its event number `after`, before it ended."""
    child, pipe = started(work)
    for _ in range(after):
        if not os.read(pipe, 1):
            break
    time.sleep(random.uniform(0, gap_s))
    os.kill(child, signal.SIGKILL)
    os.close(pipe)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def ended(work: Callable[[Callable[[Any], None]], None]) -> None:
    """Waits for a process that does `work`."""
    child, pipe = started(work)
    while os.read(pipe, 4096):
        pass
    os.close(pipe)
    os.waitpid(child, 0)


def facts(home: Path, run: str, made: Agent) -> dict[str, Any]:
    """Returns what must be the same with and without kills."""
    log = made.store.runs
    events = log.events(run)
    keys = [key for event in events if (key := key_of(event)) is not None]
    answer = log.answer(run)
    replayed = made.replay(run)
    return {
        "answer": answer.model_dump(mode="json", exclude={"run", "seconds"}) if answer else None,
        "steps": [
            step.model_dump(mode="json", exclude={"seconds", "observations"}) for step in log.trace(run).steps
        ],
        "seen": [
            [(seen.call, seen.status, seen.output) for seen in step.observations]
            for step in log.trace(run).steps
        ],
        "keys": sorted(map(str, set(keys))),
        "doubled": len(keys) - len(set(keys)),
        "gapless": [event.seq for event in events] == list(range(len(events))),
        "replay": str(replayed.difference or ""),
        "events": len(events),
    }


def trial(
    case: str, address: str, media: dict[str, Path], reference: dict[str, Any], gap_s: float
) -> dict[str, Any]:
    """Returns what became of one run that was killed."""
    with tempfile.TemporaryDirectory() as name:
        home, result = Path(name), Path(name) / "result.json"
        calls = home / "calls"

        def ask(tell: Callable[[Any], None]) -> None:
            agent(home, case, address, calls).ask(QUESTION, **media, on_event=tell)

        def resume(tell: Callable[[Any], None]) -> None:
            made = agent(home, case, address, calls)
            run = made.store.runs.records()[0].run
            made.resume(run, on_event=tell)

        def check(tell: Callable[[Any], None]) -> None:
            made = agent(home, case, address, calls)
            result.write_text(json.dumps(facts(home, made.store.runs.records()[0].run, made)))

        after = random.randint(1, reference["events"])
        if not killed(ask, after, gap_s):
            return {"missed": True}
        times = 1
        log = agent(home, case, "", calls).store.runs
        run = log.records()[0]
        at = len(log.events(run.run)) if run.status == "failed" else -1
        if at < 0:
            return {"missed": True}  # it had come to its end
        if random.random() < 1 / 3 and killed(resume, random.randint(1, reference["events"] - at + 1), gap_s):
            times += log.records()[0].status == "failed"
        if log.records()[0].status == "failed":
            ended(resume)
        ended(check)
        told = json.loads(result.read_text()) if result.is_file() else {}
        made = calls.read_text().count("\n") if calls.is_file() else 0
        wrong = [key for key in ("answer", "steps", "seen", "keys") if told.get(key) != reference[key]]
        wrong += [key for key in ("doubled", "replay") if told.get(key)]
        wrong += [] if told.get("gapless") else ["gapless"]
        why = told.get("replay", "no result")
        again = made - reference["calls"]
        return {"missed": False, "kills": times, "at": at, "wrong": wrong, "why": why, "calls_again": again}


def references(address: str, media: dict[str, Path]) -> tuple[dict[str, dict[str, Any]], float]:
    """Returns the facts of an undisturbed run of each case, and the mean seconds between events."""
    made: dict[str, dict[str, Any]] = {}
    gaps = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as name:
            home = Path(name)

            def ask(tell: Callable[[Any], None], case: str = case, home: Path = home) -> None:
                one = agent(home, case, address, home / "calls")
                answer = one.ask(QUESTION, **media, on_event=tell)
                told = facts(home, answer.run, one)
                seconds = one.store.runs.record(answer.run).seconds
                calls = (home / "calls").read_text().count("\n")
                loaded = [name for name in sys.modules if not name.startswith("__")]
                extra = {"calls": calls, "seconds": seconds, "modules": loaded}
                (home / "result.json").write_text(json.dumps({**told, **extra}))

            ended(ask)
            made[case] = json.loads((home / "result.json").read_text())
            if made[case]["replay"] or made[case]["doubled"]:
                raise SystemExit(f"the undisturbed run of {case} does not replay: {made[case]['replay']}")
            gaps.append(made[case]["seconds"] / made[case]["events"])
            preload(made[case].pop("modules"))
    return made, sum(gaps) / len(gaps)


def preload(names: list[str]) -> None:
    """Imports what a run imports, so that the forks need not."""
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def measured(kills: int, address: str, seed: int) -> dict[str, Any]:
    """Returns the figures of so many runs that were killed."""
    random.seed(seed)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        media = files(Path(name))
        reference, gap_s = references(address, media)
        return _measured(rows, kills, lambda case: trial(case, address, media, reference[case], gap_s))


def files(folder: Path) -> dict[str, Path]:
    """Returns a picture and a sound as files: a run that was killed early reads them again."""
    import soundfile
    from PIL import Image

    Image.fromarray(fakes.picture()).save(folder / "yard.png")
    samples, rate = fakes.sound()
    soundfile.write(folder / "bark.wav", samples, rate)
    return {"image": folder / "yard.png", "audio": folder / "bark.wav"}


def _measured(
    rows: list[dict[str, Any]], kills: int, one_trial: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    missed = 0
    begun = time.monotonic()
    while len(rows) < kills and missed < 2 * kills + 20:
        case = CASES[len(rows) % len(CASES)]
        row = one_trial(case)
        if row["missed"]:
            missed += 1
            continue
        rows.append(row)
        if row["wrong"]:
            print(f"run {len(rows)} ({case}), killed at event {row['at']}: {row['wrong']} {row['why']}")
    good = sum(not row["wrong"] for row in rows)
    again = sum(max(0, row["calls_again"]) for row in rows)
    return {
        "runs_killed": len(rows),
        "kills": sum(row["kills"] for row in rows),
        "same_answer": sum("answer" not in row["wrong"] for row in rows),
        "steps_lost_or_doubled": sum(
            bool({"steps", "seen", "keys", "doubled", "gapless"} & set(row["wrong"])) for row in rows
        ),
        "replays_byte_equal": sum("replay" not in row["wrong"] for row in rows),
        "right": good,
        "right_share_95": [round(bound, 4) for bound in wilson(good, len(rows))],
        "killed_at_event": {
            str(low): sum(low <= row["at"] < low + 5 for row in rows) for low in range(0, 45, 5)
        },
        "tool_calls_made_again": again,
        "killed_after_the_end": missed,
        "seconds": round(time.monotonic() - begun, 1),
    }


def wilson(good: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Returns the interval of a share (Wilson's score, 95 %)."""
    if not count:
        return 0.0, 1.0
    share = good / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("json", nargs="?", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--savers", nargs="+", choices=["sqlite", "postgres"], default=["sqlite", "postgres"])
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    for saver in given.savers:
        address = postgres.address() if saver == "postgres" else ""
        if saver == "postgres" and not address:
            print(f"no PostgreSQL: make test-services; {postgres.CURE}", file=sys.stderr)
            return 2
        figures[saver] = measured(given.kills, address, given.seed)
        print(saver, json.dumps(figures[saver]), flush=True)
    figures |= {"cores": os.cpu_count(), "python": platform.python_version()}
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    rows = [row for row in figures.values() if isinstance(row, dict)]
    return int(any(row["right"] < row["runs_killed"] or row["runs_killed"] < given.kills for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
