"""``deixis eval mllm --base FOLDER --adapter FOLDER``: the twin and all that it is compared with."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from deixis.errors import InputFault
from deixis.eval.mllm.comparing import Asked, dialogues, of_grounding, of_retention
from deixis.eval.mllm.data import questions
from deixis.eval.mllm.media import Host, Rows
from deixis.eval.mllm.metric import ACCELERATED, BARS, with_bars
from deixis.eval.mllm.retention import EXACT
from deixis.eval.mllm.systems import opened
from deixis.eval.mllm.talking import BATCH, PLAIN
from deixis.eval.report import Measure, Report, ToolFacts
from deixis.tools.protocol import Role
from deixis.tools.toolbox import Toolbox

SCENES = 300
PROMPTS = 400
"""Scenes whose questions the gate is measured on: it reads them alone, so many cost little."""
RECIPES = ("cpu", "accelerator")
ROLES: tuple[Role, ...] = ("detection", "tagging", "hearing", "segmentation")


class PocketMllm:
    """Measures a twin, its base, and the baselines on the same questions about test seeds.

    Args:
        base: the stored base.
        adapter: the twin's folder.
        baselines: what ``python -m deixis.eval.mllm.baselines`` made; None leaves trained baselines out.
        count: scenes; half as many sounds, and as many conversations.
        batch: dialogues that are gone on with together.
        recipe: what trained the twin, ``cpu`` or ``accelerator``; the bars of coordinates differ.
        device: of PyTorch.
        prompts: scenes whose questions the gate is measured on, at least those of `count`.
    """

    needs_data = False

    def __init__(
        self,
        base: Path,
        adapter: Path,
        baselines: Path | None = None,
        count: int = SCENES,
        batch: int = BATCH,
        recipe: str = "cpu",
        device: str = "cpu",
        prompts: int = PROMPTS,
    ) -> None:
        self._base, self._adapter, self._baselines = base, adapter, baselines
        self._count, self._batch, self._recipe, self._device = count, batch, recipe, device
        self._prompts = max(prompts, count)

    def run(self, data: Path | None, toolbox: Toolbox, progress: Callable[[int, int], None]) -> Report:
        """Returns the measures of the twin, and as baselines those of all others; `data` is not read.

        Raises:
            InputFault: a folder does not hold what it should, or the twin is of another base.
        """
        began, spent = time.monotonic(), time.process_time()
        every = questions(self._count)
        gated = questions(self._prompts) if self._prompts > self._count else every
        rows, host = Rows(every.media), Host(toolbox, every.media)
        systems = opened(self._base, self._adapter, self._baselines, rows, host, self._batch, self._device)
        named = (systems.twin, systems.base, *systems.others)
        asked = Asked(dialogues(named, every), progress)
        before = asked.replies(systems.base.frozen, every.understanding, PLAIN, logits=True)
        found: list[Measure] = []
        others: list[Measure] = []
        notes: list[str] = []
        for one in named:
            own = of_grounding(one, every, asked)
            after, remarks = of_retention(one, every, asked, before, gated)
            notes += remarks
            if one is systems.twin:
                found = with_bars([*own, *after], self._bars())
            else:
                others += [
                    measure.model_copy(update={"name": f"{one.name}: {measure.name}"})
                    for measure in (*own, *after)
                ]
        sizes = ", ".join(f"{one.name} {one.parameters:,}" for one in named if one.parameters)
        cost = 100 * (time.process_time() - spent) / max(1, asked.done)
        return Report(
            task="mllm",
            profile="",
            data="illustrated world, test seeds",
            items=len(every.grounding) + len(every.understanding),
            measures=tuple(found),
            parse_failures=asked.unread,
            seconds_per_item=round((time.monotonic() - began) / max(1, asked.done), 5),
            tools=_facts(toolbox),
            baselines=tuple(others),
            notes=(
                f"base {self._base.name}, twin {self._adapter.name}, {self._count} scenes, "
                f"recipe {self._recipe}",
                f"{asked.done} dialogues of {len(named)} systems, {cost:.1f} s of the processor for 100",
                "greedy generation with a cache; no right answer and no observation is given",
                "choosing: the grounder's ten best boxes of everything are on offer; "
                "writing: the answer at once, no tool",
                f"trained parameters: {sizes}",
                *notes,
            ),
        )

    def _bars(self) -> dict[str, float]:
        return {**BARS, **EXACT, **(ACCELERATED if self._recipe == "accelerator" else {})}


def _facts(toolbox: Toolbox) -> tuple[ToolFacts, ...]:
    chosen = [(role, toolbox.get(role)) for role in ROLES]
    return tuple(
        ToolFacts(role=role, name=tool.name, version=tool.version, weights_digest=tool.weights_digest)
        for role, tool in chosen
        if tool is not None
    )


def mllm(
    base: str = "",
    adapter: str = "",
    baselines: str = "",
    count: str = str(SCENES),
    batch: str = str(BATCH),
    recipe: str = "cpu",
    device: str = "cpu",
    prompts: str = str(PROMPTS),
) -> PocketMllm:
    """Returns the task, of options as a command line gives them.

    Raises:
        InputFault: one of base and adapter is named alone, or an option is not understood.
        WeightsMissing: a folder is not there.
        MissingExtra: PyTorch is not installed.
    """
    from deixis.graphs.planning.pocket.weights import folders
    from deixis.learned.extras import require_torch

    require_torch("Measuring the pocket MLLM")
    if bool(base) != bool(adapter):
        raise InputFault(
            "eval.option.needed",
            "One of base and twin is named without the other.",
            "Add both --base FOLDER and --adapter FOLDER, or none for those that are shipped.",
        )
    whole = all(one.isdigit() and int(one) for one in (count, batch, prompts))
    if not whole or recipe not in RECIPES:
        raise InputFault(
            "eval.mllm.option",
            f"--count {count}, --batch {batch}, --prompts {prompts} or --recipe {recipe} is not understood.",
            f"Give whole numbers from 1 on, and one of: {', '.join(RECIPES)}.",
        )
    first, second = folders(base, adapter)
    assert second is not None, "both were named, or none"
    trained = Path(baselines) if baselines else None
    return PocketMllm(first, second, trained, int(count), int(batch), recipe, device, int(prompts))
