"""``deixis train understand | ground | gate | estimate`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deixis.cli.train import app
from deixis.errors import InputFault

pytest.importorskip("torch")
pytest.importorskip("transformers")

RUN = CliRunner()
QUICK = ("--threads", "1", "--cpu", "--json", "--float32")


def _json(*arguments: str) -> dict:
    found = RUN.invoke(app, list(arguments), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


@pytest.mark.timeout(300)
def test_the_stages_one_after_the_other(tmp_path: Path) -> None:
    from deixis.learned.scout.world.maker import WorldMaker

    out, samples = tmp_path / "u", tmp_path / "samples.jsonl"
    samples.write_text("".join(f"{one.line()}\n" for one in WorldMaker().samples(1_000_300, 4)), "utf-8")
    conversations = ("--preset", "tiny", "--conversations", "8", "--batch", "4")
    card = _json("understand", "--out", str(out), *conversations, "--steps", "2", *QUICK)
    assert card["stage"] == "understand"
    assert card["steps"] == 2
    card = _json("understand", "--out", str(out), *conversations, "--steps", "3", "--resume", *QUICK)
    assert card["steps"] == 3
    given = ("--base", str(out / "base"), "--samples", str(samples), "--batch", "2", "--steps", "2")
    twin = ("--kind", "lowrank", "--rank", "2")
    card = _json("ground", "--out", str(tmp_path / "g"), *given, *twin, "--loss", "curriculum", *QUICK)
    assert card["twin"]["rank"] == 2
    assert card["loss"]["mode"] == "curriculum"
    found = _json("estimate", "ground", "--out", str(tmp_path / "e"), *given, *twin, *QUICK)
    assert found["trained_parameters"] == card["trained_parameters"]
    stored = ("--base", str(out / "base"), "--adapter", str(tmp_path / "g" / "twin"))
    questions = ("--samples", str(samples), "--conversations", str(out / "data"))
    card = _json("gate", *questions, *stored, "--out", str(tmp_path / "gate"), "--json")
    assert card["held_out"]["accuracy"]["n"] > 0
    assert (
        json.loads((tmp_path / "g" / "twin" / "adapter_config.json").read_text())["gate"]["kind"]
        == "classifier"
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ground", "--samples", "x"], "train.ground.what"),
        (["ground", "--base", "x", "--samples", "y", "--forms", "z"], "train.forms"),
        (["ground", "--base", "x", "--samples", "y", "--kind", "z"], "train.twin"),
        (["understand", "--loss", "z"], "train.loss"),
        (["understand", "--optimizer", "z"], "train.plan"),
        (["estimate", "z"], "train.stage"),
        (["gate", "--adapter", "x"], "train.gate.base"),
    ],
)
def test_wrong_options_are_named_with_a_cure(arguments: list[str], code: str) -> None:
    with pytest.raises(InputFault) as caught:
        RUN.invoke(app, arguments, catch_exceptions=False)
    assert caught.value.code == code
    assert caught.value.cure
