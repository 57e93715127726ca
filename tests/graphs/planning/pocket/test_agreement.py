"""What the twin is trained on and what it reads in a run are the same tokens.

The planner takes the very steps of a SCOUT sample, whose observations the pocket tools made; in the run the
same tools are called through the graph. Every prompt must be a beginning of the sample as it is trained on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")
pytest.importorskip("llguidance")

from deixis.agent.agent import Agent
from deixis.agent.profile import Profile, load_profile
from deixis.learned.scout.world.maker import Made, WorldMaker
from deixis.learned.scout.world.spec import WorldSpec
from deixis.tools.toolbox import Toolbox
from tests.graphs.planning.pocket.dictated import dictated, tokenizer

SEEDS = {"picture": 990_100, "pair": 990_200, "sound": 990_300}


@pytest.fixture(scope="module")
def tools() -> dict[str, Any]:
    toolbox = load_profile("pocket").toolbox(None)
    return {role: toolbox.need(role) for role in toolbox.roles()}


def made(kind: str, seed: int, tools: dict[str, Any]) -> Made:
    shares: dict[str, Any] = {f"{one}s": float(one == kind) for one in SEEDS}
    return WorldMaker(WorldSpec(questions=5, **shares), Toolbox(tools)).make(seed)


@pytest.mark.parametrize("kind", SEEDS)
def test_prompts_of_a_run_are_beginnings_of_the_training_sample(
    kind: str, tools: dict[str, Any], tmp_path: Path
) -> None:
    world = made(kind, SEEDS[kind], tools)
    assert world.samples
    for sample in world.samples:
        planner, pen = dictated(sample)
        agent = Agent(
            Profile(name="pocket", tools={}),
            home=tmp_path,
            tools=tools,
            planner=planner,
            tool_timeout_s=100.0,
        )
        answer = agent.ask(
            sample.question,
            image=None if world.scene is None else world.scene.pixels,
            audio=None if world.clip is None else (world.clip.samples, 16_000),
        )
        shown = [[tokenizer().decode(list(ids)) for ids in both] for both in pen.strayed]
        assert not shown, f"{sample.task}: {shown[0][0]}\n!=\n{shown[0][1]}"
        assert len(pen.prompts) >= len(sample.steps) - sum(not one.actions for one in sample.steps) // 2
        assert answer.text.startswith(sample.answer) and answer.status == "complete", answer.problems
        points = any(span.boxes for span in sample.steps[-1].spans)
        assert not points or any(entity.regions for entity in answer.entities)
