"""``deixis eval agent``: the whole loop on the same episodes, planner by planner.

Without data the episodes are those of the illustrated world; with a folder of data they are its photos, and
its pairs of a photo and a sound.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from deixis.errors import InputFault
from deixis.eval.agent import figures
from deixis.eval.agent.data import SPLITS, Episode, Split
from deixis.eval.agent.kept import Kept
from deixis.eval.agent.metric import Judged
from deixis.eval.agent.rows import NAMES, PIPELINE, RULES, TWIN, Row, rows
from deixis.eval.report import Measure, Report, ToolFacts
from deixis.tools.toolbox import Toolbox

EPISODES = 500
BAR = 0.85
KEEP = "eval-agent.jsonl"
MOST_MISSING = 3
"""For each episode asked for, so many numbers are tried at most: some media allow no question."""
MOST_FAILURES = 12


class AgentEval:
    """Runs the pipeline, and the stepwise graph with each planner, on the same episodes.

    Args:
        episodes: how many.
        wanted: keys of `rows.NAMES`.
        split: ``test``, or ``validation`` for development.
        base, adapter: folders of the pocket planner; the shipped ones if empty.
        expert: ``learn`` or ``frozen`` to plan in the twin's row in place of what its gate decides.
        keep: file in which verdicts are kept as they come; an evaluation that was ended goes on from there.
    """

    needs_data = False

    def __init__(
        self,
        episodes: int = EPISODES,
        wanted: tuple[str, ...] = tuple(NAMES),
        split: Split = "test",
        base: str = "",
        adapter: str = "",
        keep: Path | None = None,
        expert: str = "",
    ) -> None:
        self._count, self._wanted, self._split = episodes, wanted, split
        self._base, self._adapter, self._keep, self._expert = base, adapter, keep, expert

    def run(self, data: Path | None, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns the figures of the twin's row (of the rules where there is no twin), and of all others.

        Raises:
            InputFault: no row can be measured, or the data lack what is needed.
        """
        began = time.monotonic()
        kept = Kept(self._keep)
        with tempfile.TemporaryDirectory() as home:
            measured, skipped = rows(
                self._wanted, toolbox, Path(home), self._base, self._adapter, self._expert
            )
            if not measured:
                raise InputFault(
                    "eval.agent.rows", f"No row can be measured: {'; '.join(skipped)}", "Name others: --rows."
                )
            found: dict[str, list[Judged]] = {row.name: [] for row in measured}
            total = self._count * len(measured)
            done = 0
            for one in self._episodes(data, measured, kept):
                for row in measured:
                    verdict = kept.get(row.version, row.name, one.id)
                    if verdict is None:
                        verdict = row.judge(one)
                        kept.put(row.version, verdict)
                    found[row.name].append(verdict)
                    done += 1
                    progress(done, total)
        return self._report(data, found, skipped, toolbox, (time.monotonic() - began) / max(1, done))

    def _episodes(self, data: Path | None, measured: list[Row], kept: Kept) -> Iterator[Episode]:
        """Yields the episodes."""
        if data is not None:
            from deixis.eval.agent.photos import episodes

            yield from episodes(data, self._count, self._split)
            return
        from deixis.eval.agent.world import episode

        given = 0
        for number in range(self._count * MOST_MISSING):
            if given >= self._count:
                return
            made = episode(number, self._split)
            if made is not None:
                given += 1
                yield made

    def _report(
        self,
        data: Path | None,
        found: dict[str, list[Judged]],
        skipped: list[str],
        toolbox: Toolbox,
        seconds: float,
    ) -> Report:
        first = next((name for name in (TWIN, RULES, PIPELINE) if name in found), next(iter(found)))
        photos = data is not None
        own = (
            figures.of_photos(found[first], bars=True)
            if photos
            else figures.of_world(found[first], BAR if first == TWIN else None)
        )
        others: list[Measure] = []
        for name, judged in found.items():
            if name != first:
                others += [
                    one.model_copy(update={"name": f"{name}: {one.name}"})
                    for one in (figures.of_photos(judged) if photos else figures.of_world(judged))
                ]
        own += figures.differences(dict(found), first, photos)
        return Report(
            task="agent",
            profile="",
            data=data.name if data is not None else f"illustrated world, {self._split} seeds",
            items=len(found[first]),
            measures=tuple(own),
            baselines=tuple(others),
            seconds_per_item=round(seconds, 4),
            tools=tuple(
                ToolFacts(role=role, name=tool.name, version=tool.version, weights_digest=tool.weights_digest)
                for role in toolbox.roles()
                if (tool := toolbox.get(role)) is not None
            ),
            notes=(
                f"measures: {first}; the other rows, of the same episodes, are the baselines",
                "differences are over the episodes, paired, with a bootstrap interval",
                *(_failed(name, judged) for name, judged in found.items()),
                *skipped,
            ),
        )


def _failed(name: str, judged: list[Judged]) -> str:
    told = [f"{task} {part} {count} of {of}" for task, part, count, of in figures.failures(judged)]
    return f"{name}, wrong by task and first part that was: {', '.join(told[:MOST_FAILURES]) or 'nothing'}"


def agent(
    episodes: str = str(EPISODES),
    rows: str = ",".join(NAMES),
    split: str = "test",
    base: str = "",
    adapter: str = "",
    keep: str = "",
    expert: str = "",
) -> AgentEval:
    """Returns the task, of options as a command line gives them.

    Raises:
        InputFault: an option is not understood.
    """
    if not (episodes.isdigit() and int(episodes)) or split not in SPLITS:
        raise InputFault(
            "eval.agent.option",
            f"--episodes {episodes} or --split {split} is not understood.",
            f"Give a whole number from 1 on, and one of: {', '.join(SPLITS)}.",
        )
    wanted = tuple(one.strip() for one in rows.split(",") if one.strip())
    chosen: Split = "validation" if split == "validation" else "test"
    file = Path(keep) if keep else _default()
    return AgentEval(int(episodes), wanted, chosen, base, adapter, file, expert)


def _default() -> Path:
    from deixis.store import Store

    return Path(Store(None).root) / KEEP
