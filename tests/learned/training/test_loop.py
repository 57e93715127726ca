"""The loop: it learns, goes on after kill -9, keeps its checkpoint on a full disk, and shares work out."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from deixis.errors import InputFault, RunStopped
from deixis.learned.training import checkpoint
from deixis.learned.training.collate import Collator
from deixis.learned.training.feed import Examples
from deixis.learned.training.journal import Journal, read
from deixis.learned.training.loop import Trainee, train
from deixis.learned.training.loss import LossPlan, Objective
from deixis.learned.training.plan import Plan
from deixis.learned.training.updating import trainable
from tests.learned.training.tiny import examples, tiny_model

PLAN = Plan(steps=8, rate=3e-3, save_every=3, log_every=1, cpu=True, average=0.9)


def trainee(dropout: float = 0.1, size: int = 4, **more: Any) -> Trainee:
    return Trainee(
        tiny_model(attention_dropout=dropout),
        Examples.of(examples(16), Collator(), size, seed=1),
        Objective(LossPlan()),
        **more,
    )


def _run(function: str, folder: Path, plan: Plan) -> subprocess.CompletedProcess[str]:
    """Returns how another Python ended that called a function of this file."""
    script = (
        "import sys, pathlib\n"
        "from tests.learned.training import test_loop\n"
        "from deixis.learned.training.plan import Plan\n"
        f"test_loop.{function}(pathlib.Path(sys.argv[1]), Plan.model_validate_json(sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", script, str(folder), plan.model_dump_json()]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    root = Path(__file__).parents[3]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=root, check=False)


def _train_and_die(folder: Path, plan: Plan) -> None:
    """Trains until step 6; then the process kills itself."""
    torch.set_num_threads(1)

    def watch(stage: str, done: int, total: int, remark: str) -> None:
        if done == 6:
            os.kill(os.getpid(), signal.SIGKILL)

    train(trainee(), folder, plan, watch=watch)


def _launch_two(folder: Path, plan: Plan) -> None:
    """Trains in two processes, which have the plain gloo of PyTorch between them."""
    from accelerate import debug_launcher

    debug_launcher(_train_in_two, (folder, plan), 2)


def _train_in_two(folder: Path, plan: Plan) -> None:
    """Trains in a process of several, stopped and gone on with."""
    one = trainee(0.0)
    one.store = lambda trained: (folder / f"stored{os.getpid()}").touch()
    train(one, folder, plan.model_copy(update={"steps": 4}))
    train(trainee(0.0), folder, plan, resume=True)


def losses(folder: Path) -> list[float]:
    return [line["loss"] for line in read(folder) if "loss" in line]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_it_learns_and_logs_every_step_kind(tmp_path: Path, optimizer: str) -> None:
    seen: list[tuple[str, int, int]] = []
    plan = Plan(steps=40, rate=5e-3, optimizer=optimizer, log_every=10, cpu=True, measure_every=15)
    one = trainee(0.0)
    one.held_out, one.held_steps = one.feed, 4
    out = train(one, tmp_path, plan, watch=lambda stage, done, total, _: seen.append((stage, done, total)))
    lines = read(tmp_path)
    assert [line["step"] for line in lines] == [10, 15, 20, 30, 40, 40]
    assert lines[4]["loss"] < lines[0]["loss"] - 0.1
    assert {"loss_find", "loss_locate", "loss_answer", "rate", "norm", "seconds"} <= set(lines[0])
    assert ["held_loss" in line for line in lines] == [False, True, False, True, False, True]
    assert lines[1]["held_loss"] > out.figures["held_loss"] > 0
    assert {"held_loss_find", "held_loss_answer"} <= set(out.figures)
    assert seen == [("training", step, 40) for step in (10, 15, 20, 30, 40)]
    assert out.steps == 40
    assert out.tokens > 500


@pytest.mark.timeout(400)
def test_a_killed_training_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    plan = PLAN.model_copy(update={"optimizer": "muon", "log_every": 2})
    whole = trainee()
    train(whole, tmp_path / "whole", plan)
    folder = tmp_path / "killed"
    ended = _run("_train_and_die", folder, plan)
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-3000:]
    assert checkpoint.read_facts(folder)["step"] == 3
    assert [line["step"] for line in read(folder)] == [2, 4, 6]
    resumed = trainee()
    train(resumed, folder, plan, resume=True)
    assert [line["step"] for line in read(folder)] == [2, 4, 6, 8]
    assert losses(folder) == pytest.approx(losses(tmp_path / "whole"), abs=1e-6)
    for name, value in trainable(whole.model).items():
        torch.testing.assert_close(trainable(resumed.model)[name], value, atol=1e-6, rtol=1e-5)


def test_a_resumed_training_is_of_the_same_data_settings_and_network(tmp_path: Path) -> None:
    train(trainee(), tmp_path, PLAN)
    for changed, what in (
        (PLAN.model_copy(update={"rate": 1e-4}), "rate"),
        (PLAN.model_copy(update={"optimizer": "muon"}), "optimizer"),
    ):
        with pytest.raises(InputFault, match=what) as caught:
            train(trainee(), tmp_path, changed, resume=True)
        assert caught.value.code == "train.resume.other"
    with pytest.raises(InputFault, match="data"):
        train(trainee(size=2), tmp_path, PLAN, resume=True)
    other = trainee()
    other.model.requires_grad_(False)
    other.model.lm_head.requires_grad_(True)
    with pytest.raises(InputFault) as caught:
        train(other, tmp_path, PLAN, resume=True)
    assert caught.value.code == "train.resume.shape"
    with pytest.raises(InputFault) as caught:
        train(trainee(), tmp_path / "nothing", PLAN, resume=True)
    assert caught.value.code == "train.resume.none"
    (tmp_path / checkpoint.POINTER).write_text("{")
    with pytest.raises(InputFault) as caught:
        train(trainee(), tmp_path, PLAN, resume=True)
    assert caught.value.code == "train.resume.broken"


def test_more_steps_may_be_given_when_it_goes_on(tmp_path: Path) -> None:
    train(trainee(), tmp_path, PLAN)
    out = train(trainee(), tmp_path, PLAN.model_copy(update={"steps": 10}), resume=True)
    assert out.steps == 10
    assert [(run["from"], run["steps"]) for run in out.runs] == [(0, PLAN.steps), (PLAN.steps, 10)]
    assert all(run["commit"] for run in out.runs)
    assert [line["step"] for line in read(tmp_path)] == list(range(1, 11))


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_what_words_mean_moves_by_its_share_of_the_rate(tmp_path: Path, share: float) -> None:
    own = trainee(dropout=0.0)
    before = {name: value.detach().clone() for name, value in own.model.named_parameters()}
    train(own, tmp_path, PLAN.model_copy(update={"steps": 1, "meanings": share, "average": 0.0}))
    moved = {name: float((value - before[name]).abs().max()) for name, value in own.model.named_parameters()}
    # AdamW's first step is as long as the rate, whatever the gradient.
    words, head = moved["model.embed_tokens.weight"], moved["lm_head.weight"]
    assert words / head == pytest.approx(share, rel=0.02)


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    plan = PLAN.model_copy(update={"steps": 6})
    train(trainee(), tmp_path, plan)
    folder = tmp_path / checkpoint.read_facts(tmp_path)["folder"]
    size = (folder / "rank0.safetensors").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, before[1]))
    try:
        with pytest.raises(InputFault, match="step 6 still counts") as caught:
            train(trainee(), tmp_path, plan.model_copy(update={"steps": 12}), resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.code == "train.checkpoint.unwritable"
    assert [one.name for one in tmp_path.glob("checkpoint-*")] == [folder.name]
    out = train(trainee(), tmp_path, plan.model_copy(update={"steps": 12}), resume=True)
    assert out.steps == 12
    assert [line["step"] for line in read(tmp_path)] == list(range(1, 13))


def test_a_log_that_cannot_be_written_is_an_error_with_a_cure(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(InputFault) as caught:
            journal.write({"step": 1, "loss": 1.0})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.code == "train.log.unwritable"
    journal.path.write_text(json.dumps({"step": 1}) + '\n{"step": 2, "lo')
    assert read(tmp_path) == [{"step": 1}]


def test_a_loss_that_is_no_number_writes_no_checkpoint(tmp_path: Path) -> None:
    one = trainee(0.0)
    with torch.no_grad():
        one.model.lm_head.weight[0] = float("nan")
    with pytest.raises(RunStopped) as caught:
        train(one, tmp_path, PLAN.model_copy(update={"log_every": 100}))
    assert caught.value.code == "train.loss.infinite"
    assert not (tmp_path / checkpoint.POINTER).exists()


def test_accumulated_parts_and_packed_rows_learn_the_same(tmp_path: Path) -> None:
    outcomes = {}
    for name, changes in {
        "whole": {},
        "parts": {"accumulate": 2},
        "checkpointed": {"checkpointing": True},
    }.items():
        one = trainee(0.0)
        train(one, tmp_path / name, PLAN.model_copy(update={"steps": 4, **changes}))
        outcomes[name] = losses(tmp_path / name)
    packed = trainee(0.0)
    packed.feed = Examples.of(examples(16), Collator(pack=200), 4, seed=1)
    train(packed, tmp_path / "packed", PLAN.model_copy(update={"steps": 4}))
    outcomes["packed"] = losses(tmp_path / "packed")
    for name, found in outcomes.items():
        assert found == pytest.approx(outcomes["whole"], abs=3e-5), name


def test_bfloat16_keeps_weights_in_32_bits(tmp_path: Path) -> None:
    one, other = trainee(0.0), trainee(0.0)
    train(one, tmp_path / "b", PLAN.model_copy(update={"steps": 4, "bfloat16": True}))
    train(other, tmp_path / "f", PLAN.model_copy(update={"steps": 4}))
    assert {value.dtype for value in one.model.parameters()} == {torch.float32}
    assert losses(tmp_path / "b") == pytest.approx(losses(tmp_path / "f"), abs=0.05)
    assert losses(tmp_path / "b") != losses(tmp_path / "f")


def test_minutes_become_steps(tmp_path: Path) -> None:
    plan = Plan(minutes=0.02, cpu=True, log_every=1, rate=1e-3)
    out = train(trainee(0.0), tmp_path, plan)
    assert out.steps > 15
    assert out.seconds < 20
    assert checkpoint.read_facts(tmp_path)["total"] == out.steps


def test_nothing_to_train_is_refused(tmp_path: Path) -> None:
    one = trainee()
    one.model.requires_grad_(False)
    with pytest.raises(InputFault) as caught:
        train(one, tmp_path, PLAN)
    assert caught.value.code == "train.nothing"


@pytest.mark.timeout(400)
def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    plan = PLAN.model_copy(update={"steps": 6, "average": 0.0})
    train(trainee(0.0), tmp_path / "one", plan.model_copy(update={"steps": 4}))
    train(trainee(0.0), tmp_path / "one", plan, resume=True)
    ended = _run("_launch_two", tmp_path / "two", plan)
    assert ended.returncode == 0, ended.stderr[-3000:]
    files = sorted(one.name for one in (tmp_path / "two").glob("checkpoint-*/*"))
    assert files == ["rank0.safetensors"]
    assert [line["step"] for line in read(tmp_path / "two")] == list(range(1, 7))
    assert len(list((tmp_path / "two").glob("stored*"))) == 1
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-4)
