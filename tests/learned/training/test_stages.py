"""The stages on a tiny model: the base learns, the twin learns beside it, the gate tells them apart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from deixis.cli.main import run
from deixis.errors import InputFault
from deixis.graphs.planning.pocket.weights import folders, opened
from deixis.learned.mllm import load
from deixis.learned.mllm.build import save_half
from deixis.learned.mllm.features import encoder_digest
from deixis.learned.mllm.tokens import PROPOSALS
from deixis.learned.scout.proposals import proposals_of
from deixis.learned.scout.world.maker import WorldMaker
from deixis.learned.training.collate import Collator
from deixis.learned.training.dialogues import (
    Traces,
    comes_in,
    coordinate_ids,
    put,
    read_samples,
    seen,
)
from deixis.learned.training.estimating import estimate
from deixis.learned.training.feed import Examples
from deixis.learned.training.journal import read
from deixis.learned.training.loop import train
from deixis.learned.training.loss import LossPlan, Objective
from deixis.learned.training.plan import Plan
from deixis.learned.training.stages.gate import gather, gathered, store_gate, train_gate_stage
from deixis.learned.training.stages.ground import (
    Grounding,
    base_digests,
    check_unchanged,
    grounding_trainee,
    train_ground,
)
from deixis.learned.training.stages.understand import Understanding, prepared, train_understand
from deixis.learned.twin import TwinConfig, attach, graft
from deixis.learned.twin.folder import is_short
from deixis.learned.twin.gates.marker import MarkerGate
from tests.learned.training.tiny import examples, tiny_model

WHAT = Understanding(preset="tiny", conversations=24, held=4, batch=4)
PLAN = Plan(steps=12, rate=2e-3, log_every=4, cpu=True, optimizer="muon")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A tiny base that stage U trained for a few steps, and its card."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("understand")
    return out, train_understand(out, WHAT, PLAN)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("scout") / "samples.jsonl"
    made = list(WorldMaker().samples(1_000_100, 6))
    file.write_text("".join(f"{sample.line()}\n" for sample in made), "utf-8")
    return file


def test_understanding_trains_decoder_and_adapters_and_leaves_the_encoders(base: Any) -> None:
    out, card = base
    lines = [line for line in read(out) if "loss" in line]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert card["figures"]["held_loss"] > 0
    assert card["data"]["count"] == 24
    assert json.loads((out / "base" / "training.json").read_text())["commit"] == card["commit"]
    assert "apache-2.0" in (out / "base" / "README.md").read_text()
    model, _ = load(out / "base")
    fresh, _ = prepared(out, WHAT, LossPlan())
    same = {
        name: torch.equal(value, dict(model.named_parameters())[name])
        for name, value in fresh.model.named_parameters()
    }
    assert all(equal for name, equal in same.items() if ".eye." in name or ".ear." in name)
    for kind in ("pictures", "sounds"):
        assert encoder_digest(model, kind) == encoder_digest(fresh.model, kind), "rows on disk serve again"
    assert not same["model.language_model.layers.0.mlp.up_proj.weight"]
    assert not same["model.picture_adapter.word.weight"]


@pytest.mark.parametrize("loss", ["step_mean", "separate_turns"])
def test_grounding_trains_the_twin_and_not_one_tensor_of_the_base(
    base: Any, samples: Path, tmp_path: Path, loss: str
) -> None:
    folder = base[0] / "base"
    what = Grounding(folder, [samples], twin=TwinConfig(kind="lowrank", rank=4, layers="all"), batch=4)
    changes = {"optimizer": "adamw", "rate": 2e-2, "measure_every": 4}
    plan = PLAN.model_copy(update=changes)
    card = train_ground(tmp_path, what, plan, LossPlan(mode=loss, coordinate_weight=2.0))
    lines = [line for line in read(tmp_path) if "loss" in line]
    # Batches differ too much in a few steps: the same held-out samples tell whether it learned.
    assert card["figures"]["held_loss"] < lines[0]["held_loss"] - 0.03
    assert {"loss_find", "loss_answer"} & set(lines[0])
    assert card["base"]["tensors_unchanged"] > 50
    model, _ = load(folder)
    ids = torch.randint(50, 400, (1, 12))
    with torch.no_grad():
        plain = model(input_ids=ids).logits
        twin = attach(model, tmp_path / "twin")
        assert torch.equal(model(input_ids=ids).logits, plain)
        with twin.using("learn"):
            assert not torch.equal(model(input_ids=ids).logits, plain)


def test_a_twin_is_gone_on_with_from_where_it_was_and_keeps_its_gate(
    base: Any, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = base[0] / "base"
    what = Grounding(folder, [samples], twin=TwinConfig(kind="lowrank", rank=4, layers="all"), batch=4)
    plan = PLAN.model_copy(update={"optimizer": "adamw", "rate": 2e-2})
    first = train_ground(tmp_path / "first", what, plan)
    twin = attach(load(folder)[0], tmp_path / "first" / "twin")
    twin.gate = MarkerGate("<point>")
    twin.save(tmp_path / "first" / "twin", half=True)
    options = ["--base", str(folder), "--samples", str(samples), "--batch", "4", "--cpu", "--json"]
    again = ["--adapter", str(tmp_path / "first" / "twin"), "--steps", "1", "--rate", "1e-7"]
    assert run(["train", "ground", "--out", str(tmp_path / "second"), *options, *again]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["figures"]["held_loss"] == pytest.approx(first["figures"]["held_loss"], abs=2e-3)
    assert card["twin"]["kind"] == "lowrank", "not what the option --kind would make"
    assert (card["begun_with"]["steps"], card["steps"]) == (PLAN.steps, 1)
    assert isinstance(attach(load(folder)[0], tmp_path / "second" / "twin").gate, MarkerGate)


def test_the_shipped_twin_is_gone_on_with_beside_its_base(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped, adapter = folders()
    assert adapter is not None
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pocket").mkdir()  # as the README's training of the tools makes one
    given = ["--samples", str(samples), "--steps", "1", "--batch", "2", "--cpu", "--json"]
    assert run(["train", "ground", "--adapter", "pocket", "--out", "more", *given]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["begun_with"] == json.loads((adapter / "training.json").read_text())
    twin = attach(load(shipped)[0], tmp_path / "more" / "twin")
    assert twin.config.kind == "full" and twin.gate is not None


def test_samples_come_in_the_forms_that_are_asked_for(samples: Path, base: Any) -> None:
    _, processor = load(base[0] / "base")
    every, offers = read_samples([samples]), []
    for sample in every:
        short, long = (put(sample, form, processor.tokenizer) for form in ("at_once", "coordinates"))
        assert short.step_kinds == ("answer",) and long.step_kinds[-1] == "answer"
        assert len(long.step_kinds) == len(sample.steps) and len(short) < len(long)
        chosen = put(sample, "proposals", processor.tokenizer)
        assert len(chosen) <= len(long), "a number is shorter than four coordinates"
        offered, boxes = (
            put(sample, "offered", processor.tokenizer),
            proposals_of(sample.steps, everything=True),
        )
        assert (offered is None) == (not boxes)
        if offered is not None:
            assert offered.step_kinds == ("answer",) and offered.labels.count(-100) > short.labels.count(-100)
            assert [one.number for one in offered.slots if one.kind == "object"] == [
                one.number for one in boxes
            ]
            offers.append(offered)
    numbers = set(processor.tokenizer.convert_tokens_to_ids(list(PROPOSALS)))
    assert any(numbers & set(one.labels) for one in offers), "what is meant is said by its number"
    shares = [sum(comes_in(sample, "proposals", share) for sample in every) for share in (0.0, 0.3, 0.6, 1.0)]
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0, len(every))
    assert 0 < shares[2] < len(every)


def test_samples_of_the_same_media_weigh_as_if_they_stood_alone(
    base: Any, samples: Path, tmp_path: Path
) -> None:
    from deixis.learned.training.dialogues import read_samples

    model, processor = load(base[0] / "base")
    several = read_samples([samples])
    kept = seen(several, tmp_path, model, processor)
    assert len(kept.pictures) + len(kept.sounds) > 0
    objective = Objective(LossPlan(), coordinate_ids(processor.tokenizer))
    found = []
    for together in (1, 8):
        traces = Traces(several, kept, model, processor.tokenizer, together=together)
        batch = Collator(processor.tokenizer.pad_token_id)([traces[number] for number in range(len(traces))])
        with torch.no_grad():
            target = objective.targets(batch)
            logits = model(**batch.inputs, logits_at=target.where).logits
            found.append(float(objective.summed(logits, target)[0] / target.mass))
    assert found[0] == pytest.approx(found[1], abs=1e-4)


@pytest.mark.parametrize("kind", ["full", "experts"])
def test_a_twin_of_any_decoder_can_be_trained(tmp_path: Path, kind: str) -> None:
    model = tiny_model()
    twin = graft(model, TwinConfig(kind=kind))
    feed = Examples.of(examples(12), Collator(), 4)
    trainee = grounding_trainee(twin, feed, Objective())
    # All weights of a full twin are matrices of layers: Muon takes every one, and leaves AdamW none.
    own = {"optimizer": "muon", "rate": 1e-3, "checkpointing": True} if kind == "full" else {"rate": 1e-2}
    plan = Plan.model_validate({"steps": 12, "log_every": 4, "cpu": True, **own})
    before = base_digests(twin)
    train(trainee, tmp_path, plan)
    check_unchanged(twin, before)
    lines = read(tmp_path)
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert (trainee.auxiliary is not None) == (kind == "experts")
    with torch.no_grad():
        model.lm_head.weight[0, 0] += 1
    with pytest.raises(InputFault, match="lm_head") as caught:
        check_unchanged(twin, before)
    assert caught.value.code == "train.base.changed"


def test_the_gate_learns_both_kinds_of_prompt(base: Any, samples: Path, tmp_path: Path) -> None:
    prompts, both = gathered([samples], [base[0] / "data"], [])
    assert {prompt.expert for prompt in prompts} == {"learn", "frozen"}
    assert not {prompt.text for prompt in prompts} & set(both)
    lines = (base[0] / "data" / "train" / "conversations.jsonl").read_text("utf-8").splitlines()
    turns = [turn for line in lines for turn in json.loads(line)["turns"]]
    pointed = {turn[0] for turn in turns if len(turn) > 3} - {turn[0] for turn in turns if len(turn) == 3}
    assert len(pointed) > 10, "stage U asks for places too"
    assert not {prompt.text for prompt in prompts if prompt.expert == "frozen"} & pointed
    gate, card = train_gate_stage(prompts)
    assert card["held_out"]["accuracy"]["n"] > 5
    model, _ = load(base[0] / "base")
    graft(model, TwinConfig(kind="lowrank", rank=2)).save(tmp_path / "twin", half=True)
    store_gate(gate, base[0] / "base", tmp_path / "twin")
    stored = attach(load(base[0] / "base")[0], tmp_path / "twin").gate
    for prompt in prompts[:5]:
        assert stored.decide(prompt.text).mode == gate.decide(prompt.text).mode
    assert is_short(tmp_path / "twin"), "it stays as small as it was"


def test_base_and_twin_are_certified_and_shipped_as_they_were_stored(
    base: Any, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = base[0] / "base"
    kept = load_file(folder / "model.safetensors")
    assert {value.dtype for name, value in kept.items() if "language_model" in name} == {torch.float16}
    plan = PLAN.model_copy(update={"steps": 2, "optimizer": "adamw"})
    train_ground(tmp_path, Grounding(folder, [samples], twin=TwinConfig(kind="full"), batch=4), plan)
    # A process of its own: this one knows the pocket MLLM's classes already.
    words = [sys.executable, "-m", "deixis", "twin", "certify", str(folder), str(tmp_path / "twin")]
    subprocess.run(words, check=True, capture_output=True)
    certificate = json.loads((tmp_path / "twin" / "certificate.json").read_text("utf-8"))
    assert {"text", "picture and text", "picture and text 2"} < set(certificate["checks"][0]["probes"])
    package = tmp_path / "package"
    (package / "mllm").mkdir(parents=True)
    (package / "mllm" / "old.safetensors").write_bytes(b"old")
    arguments = ["--base", str(folder), "--adapter", str(tmp_path / "twin"), "--to", str(package)]
    assert run(["train", "ship", *arguments]) == 0
    assert not (package / "mllm" / "old.safetensors").exists()
    found = opened(str(package / "mllm"), str(package / "twin"))
    assert found.twin is not None and found.twin.config.kind == "full"
    cards = [json.loads((package / name / "training.json").read_text()) for name in ("mllm", "twin")]
    assert [card["stage"] for card in cards] == ["understand", "ground"]
    other = tmp_path / "other"
    model, processor = load(folder)
    with torch.no_grad():
        model.lm_head.weight[0, 0] += 1
    save_half(model, processor, other)
    (other / "training.json").write_text("{}")
    before = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert run(["train", "ship", "--base", str(other), *arguments[2:]]) != 0
    assert "twin.base.other" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}
    assert run(["train", "ship"]) != 0
    assert "train.ship.what" in capsys.readouterr().err


def test_prompts_of_both_kinds_are_left_out_and_hard_ones_marked() -> None:
    prompts, both = gather(
        ["Point at the dog.", "Show me  the cat.", "Is it there?"], ["Where was this taken?", "Is it there?"]
    )
    assert both == ["Is it there?"]
    assert {prompt.text: prompt.hard for prompt in prompts} == {
        "Point at the dog.": False,
        "Show me the cat.": True,
        "Where was this taken?": True,
    }
    with pytest.raises(InputFault):
        train_gate_stage(prompts)


def test_an_estimate_undoes_its_steps(base: Any) -> None:
    trainee, _ = prepared(base[0], WHAT, LossPlan())
    before = {name: value.clone() for name, value in trainee.model.named_parameters()}
    found = estimate(trainee, PLAN.model_copy(update={"steps": 1000}))
    assert found["steps"] == 1000
    assert found["seconds"] == pytest.approx(1000 * found["seconds_per_step"], rel=1e-2)
    assert found["peak_memory"] > found["weights"] > found["gradients"] > 0
    assert 0 < found["optimizer"] <= 2 * found["gradients"] * 1.01
    assert found["tokens_per_second"] > 0
    for name, value in trainee.model.named_parameters():
        assert torch.equal(value, before[name]), name
