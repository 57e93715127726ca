"""The certificate: it passes where all is well, and fails where the twin is not left out."""

from __future__ import annotations

import json

import pytest
import torch

from deixis.cli.main import run
from deixis.errors import InputFault
from deixis.learned.twin import TwinConfig, bench, certify, export_lora, graft
from deixis.learned.twin.certificate import read_certificate, write_certificate
from deixis.learned.twin.digests import tensor_digests
from deixis.learned.twin.gates.classifier import train_gate
from deixis.learned.twin.gates.prompts import Prompt, write_prompts
from deixis.learned.twin.wrapper import TwinFeedForward
from tests.learned.twin import zoo
from tests.learned.twin.test_gates import corpus


def _stored(folder, name, dtype=torch.float32, gate=None, kind="lowrank"):
    model = zoo.made(name, dtype)
    twin = graft(model, TwinConfig(kind=kind, rank=4))
    zoo.train(model, twin, steps=2)
    twin.gate = gate
    twin.save(folder)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("qwen3", torch.float32),
        ("mixtral", torch.bfloat16),
        ("llava", torch.bfloat16),
        ("qwen2_5_vl", torch.float32),
    ],
)
def test_a_good_twin_is_certified(name, dtype, tmp_path):
    _stored(tmp_path, name, dtype)
    certificate = certify(lambda: zoo.made(name, dtype), tmp_path)
    assert certificate["verdict"] == "passed" and certificate["complete"]
    first = certificate["checks"][0]
    assert set(first["probes"]) == {"text", "left-padded batch"} | (
        {"picture and text"} if name in zoo.SEEING else set()
    )
    assert all(set(parts) == {"logits", "tokens", "cached logits"} for parts in first["probes"].values())
    assert first["twin_changes"]
    assert certificate["checks"][-1]["name"] == "negative control"


def test_other_dtypes_than_the_bases_own(tmp_path):
    _stored(tmp_path, "qwen3")
    certificate = certify(lambda: zoo.made("qwen3"), tmp_path, dtypes=[torch.float32, torch.bfloat16])
    assert certificate["verdict"] == "passed"
    assert {check["dtype"] for check in certificate["checks"]} == {"float32", "bfloat16"}


def test_a_wrapper_that_lets_the_twin_through_fails(tmp_path, monkeypatch):
    _stored(tmp_path, "qwen3", kind="full")
    real = TwinFeedForward.forward

    def leaky(self, hidden, *args, **kwargs):
        out = real(self, hidden, *args, **kwargs)
        return out + 0.0 * self.learn["default"](hidden)  # bit-equal until the twin holds NaN

    monkeypatch.setattr(TwinFeedForward, "forward", leaky)
    certificate = certify(lambda: zoo.made("qwen3"), tmp_path)
    assert certificate["verdict"] == "failed"
    assert [c["name"] for c in certificate["checks"] if not c["passed"]] == [
        "switched off with NaN in the twin"
    ]


def test_a_twin_that_trains_the_base_fails(tmp_path, monkeypatch):
    _stored(tmp_path, "qwen3", kind="full")
    monkeypatch.setattr("deixis.learned.twin.copies.duplicate", lambda module, dtype: module)
    certificate = certify(lambda: zoo.made("qwen3"), tmp_path)
    failed = {check["name"] for check in certificate["checks"] if not check["passed"]}
    assert {"tensors of the base", "detached"} <= failed


def test_a_test_that_notices_nothing_fails_by_its_control(tmp_path, monkeypatch):
    _stored(tmp_path, "qwen3")
    monkeypatch.setattr(
        "deixis.learned.twin.certification.compared", lambda a, b: {key: {"equal": True} for key in a}
    )
    certificate = certify(lambda: zoo.made("qwen3"), tmp_path)
    assert [c["name"] for c in certificate["checks"] if not c["passed"]] == ["negative control"]


def test_the_gate_is_measured_on_prompts_it_was_not_trained_on(tmp_path):
    parts = corpus()
    _stored(tmp_path, "qwen3", gate=train_gate(parts["train"]))
    certificate = certify(lambda: zoo.made("qwen3"), tmp_path, prompts=parts["test"] + parts["train"][:7])
    gate = certificate["gate"]
    assert gate["seen_in_training"] >= 7 and gate["forget_free"]
    assert gate["measured"]["misrouted_frozen"]["n"] > 50 and gate["measured"]["misrouted_hard"]["n"] > 50
    unmeasured = certify(lambda: zoo.made("qwen3"), tmp_path)["gate"]
    assert "measured" not in unmeasured and "not measured" in unmeasured["detail"]


def test_a_certificate_is_signed_by_its_digest(tmp_path):
    _stored(tmp_path / "a", "qwen3")
    certificate = certify(lambda: zoo.made("qwen3"), tmp_path / "a")
    path, page = write_certificate(certificate, tmp_path / "out")
    assert read_certificate(path) == certificate and certificate["digest"] in page.read_text()
    forged = json.loads(path.read_text())
    forged["checks"][0]["detail"] += "."
    path.write_text(json.dumps(forged))
    with pytest.raises(InputFault, match="changed after it was signed"):
        read_certificate(path)
    path.write_text("{")
    with pytest.raises(InputFault, match="no certificate"):
        read_certificate(path)


def test_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    zoo.made("smolvlm").save_pretrained(tmp_path / "base")
    _stored(tmp_path / "a", "smolvlm", gate=train_gate(corpus()["train"]))
    write_prompts(corpus()["test"][:50], tmp_path / "prompts.jsonl")
    capsys.readouterr()
    assert run(["twin", "certify", "base", "a", "--prompts", "prompts.jsonl", "--out", "proof"]) == 0
    printed = capsys.readouterr().out
    assert "negative control" in printed and "measured on" in printed
    assert "**PASSED**" in (tmp_path / "proof" / "certificate.md").read_text()
    assert run(["twin", "show", "a", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gate"]["kind"] == "classifier"
    (tmp_path / "a" / "adapter_model.safetensors").write_bytes(b"half")
    for words in (["certify", "base", "a"], ["show", "a"]):
        assert run(["twin", *words]) == 2
        assert "twin.folder.broken" in capsys.readouterr().err


def test_a_failed_certificate_is_the_exit_code(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    zoo.made("llama").save_pretrained(tmp_path / "base")
    _stored(tmp_path / "a", "llama")
    monkeypatch.setattr("deixis.learned.twin.certification._step", lambda *_: 0)
    assert run(["twin", "certify", "base", "a", "--json"]) == 1
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index("{") :])["verdict"] == "failed"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda folder: (folder / "config.json").unlink(), "twin.base.missing"),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
            "twin.base.pickled",
        ),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"xx"), "twin.base.unreadable"),
        (lambda folder: (folder / "config.json").write_text("{}"), "twin.base.unreadable"),
        (lambda folder: _without_a_tensor(folder / "model.safetensors"), "twin.base.incomplete"),
    ],
)
def test_a_base_that_cannot_be_had_is_refused(spoil, code, tmp_path):
    from deixis.learned.twin.loading import load_base

    zoo.made("llama").save_pretrained(tmp_path)
    assert tensor_digests(load_base(tmp_path).state_dict()) == tensor_digests(zoo.made("llama").state_dict())
    spoil(tmp_path)
    with pytest.raises(InputFault) as caught:
        load_base(tmp_path)
    assert caught.value.code == code


def _without_a_tensor(path):
    from safetensors.torch import load_file, save_file

    tensors = load_file(path)
    tensors.pop("model.layers.1.mlp.up_proj.weight")
    save_file(tensors, path, metadata={"format": "pt"})


@pytest.mark.parametrize("name", ["llama", "phi", "gpt2", "smolvlm"])
def test_peft_loads_a_low_rank_twin_and_answers_the_same(name, tmp_path):
    peft = pytest.importorskip("peft")
    model, ids = zoo.made(name), zoo.tokens()
    twin = graft(model, TwinConfig(kind="lowrank", rank=3, alpha=6, layers="every:2"))
    zoo.train(model, twin)
    with twin.using("learn"), torch.no_grad():
        learned = model(input_ids=ids).logits
    base = model(input_ids=ids).logits
    export_lora(twin, tmp_path / "lora")
    loaded = peft.PeftModel.from_pretrained(zoo.made(name), tmp_path / "lora").eval()
    torch.testing.assert_close(loaded(input_ids=ids).logits, learned, rtol=1e-4, atol=1e-5)
    assert (learned - base).abs().max() > 1e-2
    with loaded.disable_adapter():
        torch.testing.assert_close(loaded(input_ids=ids).logits, base, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "kind"), [("llama", "full"), ("mixtral", "lowrank")])
def test_what_is_no_lora_is_not_written_as_one(name, kind, tmp_path):
    twin = graft(zoo.made(name), TwinConfig(kind=kind))
    with pytest.raises(InputFault):
        export_lora(twin, tmp_path / "lora")
    assert not (tmp_path / "lora").exists()


def test_the_bench_takes_both_sides_in_one_run_and_the_twin_needs_less_memory():
    pytest.importorskip("peft")
    figures = bench(rounds=3, width=64, layers=2, rank=4, batch=2, length=64)
    assert set(figures["ratios"]) == {
        "overhead_switched_off",
        "training_tokens_per_second",
        "training_peak_memory",
    }
    for part in figures["ratios"].values():
        low, high = part["interval"]
        assert low <= part["value"] <= high and part["twin"] > 0 and part["other"] > 0
    # Bytes do not depend on how busy the machine is; times do, and are not judged here.
    assert figures["ratios"]["training_peak_memory"]["value"] <= 1.0
    json.dumps(figures)


def test_prompts_are_plain_data():
    assert Prompt(text="a", expert="learn").model_dump() == {"text": "a", "expert": "learn", "hard": False}
