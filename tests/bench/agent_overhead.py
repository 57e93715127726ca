"""What a step of a run costs beside its tools and its planner, against a bare LangGraph loop, in one run.

    python -m tests.bench.agent_overhead [docs/numbers/agent-overhead.json] [--runs 40]

The bare loop has the same nodes and edges; each node only returns what the real one returned, so LangGraph
does the same rounds and writes the same checkpoints (its own SQLite saver, durability "sync"). Both take
turns. Times are the processor's: a busy machine lengthens the wall clock. Tools, planner and the decoding of
media are not counted. Stored bytes are those of checkpoints and records, with small and with large media.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from collections import defaultdict, deque
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile
from deixis.eval.speed.overhead import Clock, stored_bytes
from tests.bench.agent_kill import QUESTION, Steady
from tests.graphs import fakes

TIMES, KILOBYTES, REPLAY_MS = 1.5, 10.0, 2.0
SMALL, LARGE = ((160, 120), 2.0), ((4000, 3000), 60.0)


def agent(home: Path, clock: Clock) -> Agent:
    """Returns an agent whose tools' and media's time is counted by `clock`."""
    tools = fakes.tools()
    for tool in tools.values():
        tool.run = clock.around(tool.run)  # type: ignore[method-assign]
    made = Agent(Profile(name="fakes"), home=home, tools=tools, graph="stepwise", planner=Steady())
    for name in ("add_image", "add_audio"):
        setattr(made.store, name, clock.around(getattr(made.store, name)))
    return made


def media(folder: Path, size: tuple[int, int], seconds: float) -> dict[str, Path]:
    """Returns a picture and a sound of that size, as files."""
    import soundfile
    from PIL import Image

    rng = np.random.default_rng(0)
    folder.mkdir()
    pixels = rng.integers(90, 160, (size[1] // 4, size[0] // 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(size).save(folder / "yard.jpg")
    soundfile.write(folder / "bark.wav", rng.uniform(-0.2, 0.2, int(seconds * 16_000)), 16_000)
    return {"image": folder / "yard.jpg", "audio": folder / "bark.wav"}


def updates(made: Agent, given: dict[str, Path]) -> list[tuple[str, Any]]:
    """Returns what each node of a run returned, in order."""

    async def run() -> list[tuple[str, Any]]:
        context = made.context(QUESTION, **given)
        context.recorder.start()
        start = {"run": context.recorder.record.run, "question": QUESTION}
        graph = made.compiled("stepwise")
        rows = [
            (name, update)
            async for part in graph.astream(start, context=context, stream_mode="updates")
            for name, update in part.items()
        ]
        context.recorder.finish("complete", context.answer)
        return rows

    return asyncio.run(run())


def bare(rows: list[tuple[str, Any]]) -> Any:
    """Returns the stepwise graph with nodes that do nothing but return what is in `rows`, and its filler."""
    from langgraph.graph import END, START, StateGraph

    from deixis.graphs.planning.protocol import DOES
    from deixis.graphs.stepwise.graph import after_think
    from deixis.graphs.stepwise.state import StepState
    from deixis.graphs.stepwise.verify import after_verify

    queues: dict[str, deque[Any]] = defaultdict(deque)

    def fill() -> None:
        queues.clear()
        for name, update in rows:
            queues[name].append(update)

    def node(name: str) -> Any:
        async def nothing(state: StepState) -> Any:
            return queues[name].popleft()

        return nothing

    graph: Any = StateGraph(StepState)
    for name in ("ingest", "gate", "think", *DOES, "verify", "compose", "conclude", "fall_back"):
        graph.add_node(name, node(name))
    for do in DOES:
        graph.add_edge(do, "think")
    graph.add_edge(START, "ingest")
    graph.add_edge("ingest", "gate")
    graph.add_edge("gate", "think")
    graph.add_conditional_edges("think", after_think, [*DOES, "verify", "conclude", "fall_back", "think"])
    graph.add_edge("conclude", "verify")
    graph.add_conditional_edges("verify", after_verify, {"think": "think", "answer": "compose"})
    graph.add_edge("compose", END)
    graph.add_edge("fall_back", END)
    return graph.compile(), fill


def bare_cpu_s(graph: Any, fill: Any, path: Path, number: int, own: bool) -> float:
    """Returns the processor's seconds of one run of the bare loop."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    from deixis.graphs.checkpoints import sqlite_saver

    async def run() -> None:
        opened: Any = sqlite_saver(path) if own else AsyncSqliteSaver.from_conn_string(str(path))
        async with opened as saver:
            config = {"configurable": {"thread_id": f"bare-{number}"}, "recursion_limit": 150}
            start = {"run": f"bare-{number}", "question": QUESTION}
            await graph.copy({"checkpointer": saver}).ainvoke(start, config, durability="sync")

    fill()
    used = time.process_time()
    asyncio.run(run())
    return time.process_time() - used


def measured(runs: int) -> dict[str, Any]:
    """Returns the figures."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        small, large = media(home / "small", *SMALL), media(home / "large", *LARGE)
        made = agent(home / "store", clock)
        rows = updates(made, small)
        graph, fill = bare(rows)
        made.ask(QUESTION, **small)
        for own in (False, True):
            bare_cpu_s(graph, fill, home / f"bare-{own}.sqlite", 0, own)
        ours: list[float] = []
        theirs: list[float] = []
        inline: list[float] = []
        kilobytes: dict[str, list[float]] = {"small": [], "large": []}
        replays: list[float] = []
        steps = 0
        for number in range(1, runs + 1):
            for kind, given in (("small", small), ("large", large)):
                before, clock.cpu_s = stored_bytes(made.store.root), 0.0
                used = time.process_time()
                answer = made.ask(QUESTION, **given)
                spent = time.process_time() - used - clock.cpu_s
                steps = made.store.runs.record(answer.run).steps
                kilobytes[kind].append((stored_bytes(made.store.root) - before) / 1000 / steps)
                if kind == "small":
                    ours.append(spent)
            theirs.append(bare_cpu_s(graph, fill, home / "bare-False.sqlite", number, False))
            inline.append(bare_cpu_s(graph, fill, home / "bare-True.sqlite", number, True))
            used = time.process_time()
            replayed = made.replay(answer.run)
            replays.append(time.process_time() - used)
            if not replayed.same:
                raise SystemExit(f"the replay differs at {replayed.difference}")
    best = {"agent": min(ours), "bare": min(theirs), "bare_own_saver": min(inline)}
    ratios = sorted(one / other for one, other in zip(ours, theirs, strict=True))
    low, high = ratios[int(0.025 * runs)], ratios[min(runs - 1, int(0.975 * runs))]
    return {
        "runs": runs,
        "steps_a_run": steps,
        "nodes_a_run": len(rows),
        "agent_ms_a_step": round(1000 * statistics.median(ours) / steps, 3),
        "bare_ms_a_step": round(1000 * statistics.median(theirs) / steps, 3),
        "bare_with_own_saver_ms_a_step": round(1000 * statistics.median(inline) / steps, 3),
        "times": round(statistics.median(ratios), 3),
        "times_95": [round(low, 3), round(high, 3)],
        "times_of_the_best_runs": round(best["agent"] / best["bare"], 3),
        "times_of_own_saver": round(statistics.median(ours) / statistics.median(inline), 3),
        "bar_times": TIMES,
        "kb_a_step": {kind: round(statistics.median(rows), 2) for kind, rows in kilobytes.items()},
        "most_kb_a_step": {kind: round(max(rows), 2) for kind, rows in kilobytes.items()},
        "bar_kb": KILOBYTES,
        "replay_ms_a_step": round(1000 * statistics.median(replays) / steps, 3),
        "replay_ms_a_step_best": round(1000 * min(replays) / steps, 3),
        "bar_replay_ms": REPLAY_MS,
        "clock": "processor",
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("json", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=40)
    given = parser.parse_args()
    figures = measured(given.runs)
    text = json.dumps(figures, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", "utf-8")
    kept = figures["times"] <= TIMES and max(figures["kb_a_step"].values()) <= KILOBYTES
    return 0 if kept and figures["replay_ms_a_step"] <= REPLAY_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
