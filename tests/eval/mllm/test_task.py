"""The whole evaluation with a tiny base: every figure of every system, and the baselines that are trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import InputFault
from deixis.eval.mllm import comparing, metric, retention, talking, task
from deixis.eval.mllm.baselines import CURVES, main
from deixis.eval.mllm.table import matrix
from deixis.eval.report import Report
from deixis.tools.toolbox import Toolbox


@pytest.fixture(scope="module")
def trained(stored: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of baselines, a few steps each."""
    from deixis.learned.scout.world.maker import WorldMaker

    folder = tmp_path_factory.mktemp("baselines")
    file = folder / "samples.jsonl"
    made = list(WorldMaker().samples(1_000_100, 6))
    file.write_text("".join(f"{sample.line()}\n" for sample in made), "utf-8")
    words = ["--base", str(stored[0]), "--samples", str(file), "--out", str(folder / "out"), "--steps", "3"]
    more = [
        "--batch",
        "4",
        "--measure-every",
        "2",
        "--kind",
        "lowrank",
        "--rank",
        "2",
        "--rate",
        "0.02",
        "--cpu",
    ]
    main([*words, *more, "--float32"])
    return folder / "out"


@pytest.fixture(scope="module")
def report(stored: Any, trained: Path) -> Report:
    seen: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(talking, "MOST_NEW", 6)
        patch.setattr(metric, "ROUNDS", 20)
        patch.setattr(retention, "ROUNDS", 20)
        found = task.mllm(str(stored[0]), str(stored[1]), str(trained), "1", "64", prompts="1").run(
            None, Toolbox({}), lambda done, total: seen.append((done, total))
        )
    assert seen[-1][0] > 0.9 * seen[-1][1]
    assert all(done <= total for done, total in seen)
    return found


def test_baselines_are_trained_on_the_same_steps(trained: Path) -> None:
    cards = {
        kind: json.loads((trained / kind / "training.json").read_text())
        for kind in ("full", "lora", "step_mean", "token_mean")
    }
    assert {card["steps"] for card in cards.values()} == {3}
    assert cards["full"]["trained_parameters"] > cards["lora"]["trained_parameters"]
    assert cards["full"]["data"] == cards["lora"]["data"]
    assert (cards["step_mean"]["loss"]["mode"], cards["token_mean"]["loss"]["mode"]) == (
        "step_mean",
        "token_mean",
    )
    curves = json.loads((trained / CURVES).read_text())
    for mode in ("step_mean", "token_mean"):
        assert [step for step, _ in curves[mode]["held_out_mean"]] == [2, 3]
        assert curves[mode]["training"]
        assert "answer" in curves[mode]["held_out"][0]
    first = [curves[mode]["held_out_mean"][-1][1] for mode in curves]
    assert first[0] != first[1]


def test_the_full_fine_tune_leaves_the_encoders(stored: Any, trained: Path) -> None:
    import torch

    from deixis.learned.mllm import load

    base = dict(load(stored[0])[0].named_parameters())
    full = dict(load(trained / "full" / "model")[0].named_parameters())
    same = {name: torch.equal(value, full[name]) for name, value in base.items()}
    assert all(equal for name, equal in same.items() if ".eye." in name or ".ear." in name)
    assert not same["model.language_model.layers.0.mlp.up_proj.weight"]


def test_every_system_is_measured_on_the_same_questions(report: Report) -> None:
    names = {one.name for one in report.measures}
    assert {
        "REC choosing among proposals, unique", "REC writing coordinates, relation", "yes/no F1",
        "counting, exact", "attributes, colour", "grounded caption, F1 of boxes", "heard, F1 of sounds",
        "understanding, change, all", "gate: right expert",
    } <= names  # fmt: skip
    numbers = {one.name: one.n for one in report.measures}
    systems = {one.name.partition(": ")[0] for one in report.baselines}
    assert systems == {
        "base alone", "full fine-tune", "LoRA, always on", "LoRA, switched", "twin by step_mean",
        "twin by token_mean", "external grounder",
    }  # fmt: skip
    for one in report.baselines:
        own = one.name.partition(": ")[2]
        if own in numbers:
            assert one.n == numbers[own], one.name
    assert len({one.name for one in report.baselines}) == len(report.baselines)
    assert report.items > 10


def test_the_twin_switched_off_is_the_base_and_the_others_are_not(report: Report) -> None:
    found = {one.name: one for one in (*report.measures, *report.baselines)}
    for name, bar in (
        ("understanding, largest change of a skill", 0.0),
        ("understanding, answers equal to the base's", 1.0),
        ("understanding, logits bit-equal to the base's", 1.0),
        ("understanding, largest difference of logits", 0.0),
    ):
        assert found[name].value == bar
        assert found[name].passed is True
    for name, same in (("largest change of a skill", 0.0), ("answers equal to the base's", 1.0)):
        assert found[f"LoRA, switched: understanding, {name}"].value == same
    for system in ("full fine-tune", "LoRA, always on"):
        assert found[f"{system}: understanding, logits bit-equal to the base's"].value == 0.0
        assert found[f"{system}: understanding, largest difference of logits"].value > 0
    assert found["external grounder: understanding, logits bit-equal to the base's"].value == 1.0


def test_the_table_has_a_column_for_each_system(report: Report) -> None:
    lines = matrix(report).splitlines()
    head = next(line for line in lines if line.startswith("| measure"))
    assert head.count("|") == 1 + len(("measure", "n", "bar")) + 8
    row = next(line for line in lines if line.startswith("| yes/no accuracy"))
    assert row.count("|") == head.count("|")
    writing = next(line for line in lines if line.startswith("| REC writing coordinates, unique"))
    assert writing.split("|")[-2].strip() == "–"


def test_the_command_takes_the_task_s_own_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from deixis import registry
    from deixis.cli.main import run

    monkeypatch.setattr(registry.tasks, "_points", {})
    monkeypatch.setattr(registry.tasks, "_factories", {"mllm": task.mllm})
    for words, code in (
        (["--base", "a"], "eval.option.needed"),
        (["--base=a", "--adapter", "b", "--count", "none"], "eval.mllm.option"),
        (["--base=a", "--adapter", "b", "--recipe", "gpu"], "eval.mllm.option"),
        (["--bases", "a"], "eval.option.unknown"),
        (["--base"], "eval.option.form"),
        (["base", "a"], "eval.option.form"),
        (["--base", "a", "--adapter", "b", "-p", "sketch", "--count", "1"], "weights.missing"),
    ):
        assert run(["eval", "mllm", *words]) == 2
        assert f"[{code}]" in capsys.readouterr().err


def test_folders_that_hold_no_baselines_are_told(stored: Any, tmp_path: Path) -> None:
    with pytest.raises(InputFault) as caught:
        task.mllm(str(stored[0]), str(stored[1]), str(tmp_path), "1", prompts="1").run(
            None, Toolbox({}), lambda done, total: None
        )
    assert caught.value.code == "eval.mllm.baselines"


def test_experts_of_one_key_are_asked_once() -> None:
    class Once:
        key = "one"
        calls = 0

        def replies(self, asks: Any, way: Any, told: Any, logits: bool = False) -> list[Any]:
            self.calls += 1
            return []

    asked, one, other = comparing.Asked(1, lambda done, total: None), Once(), Once()
    for expert in (one, other):
        asked.replies(expert, [], comparing.PLAIN)
    assert (one.calls, other.calls) == (1, 0)
