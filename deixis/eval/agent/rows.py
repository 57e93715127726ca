"""The rows of the table: who plans, and how a run of each is made and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deixis.errors import DeixisError, InputFault, MissingExtra, WeightsMissing
from deixis.eval.agent.data import Episode
from deixis.eval.agent.metric import Judged, judged

if TYPE_CHECKING:
    from deixis.agent.agent import Agent
    from deixis.tools.toolbox import Toolbox

PIPELINE, RULES = "pipeline graph", "stepwise, rules"
ALONE, TWIN, FROZEN = "MLLM alone, no tools", "stepwise, twin", "stepwise, frozen base"
NAMES = {"pipeline": PIPELINE, "alone": ALONE, "rules": RULES, "twin": TWIN, "frozen": FROZEN}
"""Rows by the word that ``--rows`` knows them by, in the order of the table."""
SECONDS = 600.0
"""That a run may take: a busy machine is not to change what is measured."""
CODE = "4"
"""Changes whenever the same episodes would be judged otherwise, or answered otherwise by the same planner."""


@dataclass(frozen=True)
class Row:
    """A system: its name in the table, what tells apart whether it was measured before, and its agent."""

    name: str
    version: str
    agent: Agent

    def judge(self, episode: Episode) -> Judged:
        """Returns what came of an episode; a run that failed altogether is wrong in everything."""
        try:
            answer = self.agent.ask(
                episode.question,
                image=list(episode.pictures) or None,
                audio=list(episode.sounds_at) or None,
            )
        except DeixisError as error:
            return Judged(
                row=self.name, episode=episode.id, kind=episode.kind, task=episode.task, answer=False,
                entities=False, status="failed", wrong=error.code,
            )  # fmt: skip
        steps = self.agent.trace(answer.run).steps
        seen = [one for step in steps for one in step.observations]
        return judged(
            self.name,
            episode,
            answer,
            steps=sum(step.index > 0 for step in steps),
            calls=sum(one.status != "cached" for one in seen),
            seconds=answer.seconds,
            fell_back="rules answered instead" in answer.text,
        )


def rows(
    wanted: tuple[str, ...],
    toolbox: Toolbox,
    home: Path,
    base: str = "",
    adapter: str = "",
    expert: str = "",
) -> tuple[list[Row], list[str]]:
    """Returns the rows that can be measured here, and why others cannot.

    Args:
        wanted: keys of `NAMES`.
        toolbox: the tools of all rows.
        home: a folder for the runs.
        base, adapter: folders of the pocket planner; the shipped ones if empty.
        expert: who plans in the twin's row; its gate decides if empty.

    Raises:
        InputFault: there is no such row, or a folder that was named does not hold what it should.
    """
    odd = [name for name in wanted if name not in NAMES]
    if odd:
        raise InputFault(
            "eval.agent.rows",
            f"There is no row {odd[0]!r}.",
            f"Rows: {', '.join(NAMES)}, with commas between.",
        )
    found: list[Row] = []
    skipped: list[str] = []
    for name, told in NAMES.items():
        if name not in wanted:
            continue
        try:
            found.append(_row(name, toolbox, home, base, adapter, expert))
        except (WeightsMissing, MissingExtra) as error:
            # The whole message names folders of this machine, which do not belong into a report.
            why = "its weights are not here" if isinstance(error, WeightsMissing) else error.message
            skipped.append(f"{told}: skipped, {why}; {error.cure}")
    return found, skipped


def _row(name: str, toolbox: Toolbox, home: Path, base: str, adapter: str, expert: str) -> Row:
    from deixis.agent.agent import Agent
    from deixis.agent.profile import Profile

    tools: dict[str, Any] = {role: toolbox.need(role) for role in toolbox.roles()}
    planner = None if name == "pipeline" else _PLANNERS[name](base, adapter, expert)
    agent = Agent(
        Profile(name="evaluation", tools={}),
        home=home,
        tools=tools,
        graph="pipeline" if planner is None else "stepwise",
        planner=planner,
        budget={"seconds": SECONDS},
        tool_timeout_s=SECONDS,
    )
    parts = [f"{tool.name} {tool.version} {tool.weights_digest or ''}" for tool in tools.values()]
    version = "" if planner is None else f"{planner.name} {planner.version} {expert}"
    return Row(NAMES[name], " ".join([CODE, version, *sorted(parts)]), agent)


def _rules(base: str, adapter: str, expert: str) -> Any:
    from deixis import registry

    return registry.planners.create("rules")


def _pocket(**options: Any) -> Callable[[str, str, str], Any]:
    def made(base: str, adapter: str, expert: str) -> Any:
        from deixis.graphs.planning.pocket.planner import pocket

        planner = pocket(base, adapter, **{"expert": expert, **options})
        if options.get("expert") != "frozen" and "learn" not in planner.experts:
            missing = WeightsMissing("adapter", "pocket", "the folders that were named")
            missing.cure = "Add --adapter FOLDER."
            raise missing
        return planner

    return made


_PLANNERS: dict[str, Callable[[str, str, str], Any]] = {
    "rules": _rules,
    "twin": _pocket(),
    "frozen": _pocket(expert="frozen"),
    "alone": _pocket(expert="learn", alone=True),
}
