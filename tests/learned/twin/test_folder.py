"""The adapter folder: back bit for bit, only onto its base, whole or refused."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from deixis.errors import InputFault
from deixis.learned.twin import TwinConfig, attach, graft, twins_of
from deixis.learned.twin.folder import is_short
from deixis.learned.twin.gates.marker import MarkerGate
from tests.learned.twin import zoo


def _stored(folder, name="llama", dtype=torch.float32, **settings):
    model = zoo.made(name, dtype)
    twin = graft(model, TwinConfig(**{"rank": 4, **settings}))
    zoo.train(model, twin, steps=3)
    twin.save(folder)
    ids = zoo.tokens()
    with twin.using("learn"), torch.no_grad():
        return twin, model(input_ids=ids).logits


CASES = [
    *((name, "lowrank") for name in ("phi", "gpt2", "mixtral", "gpt_oss", "qwen3_vl", "smolvlm")),
    *(("llama", kind) for kind in ("full", "experts", "lowrank", "lowrank_experts")),
    ("mixtral", "full"),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_stored_twin_comes_back_bit_for_bit(name, kind, dtype, tmp_path):
    twin, learned = _stored(
        tmp_path / "a", name, dtype, kind=kind, router=kind == "full", notes={"space": "0-1"}
    )
    fresh = zoo.made(name, dtype)
    ids = zoo.tokens()
    with torch.no_grad():
        base = fresh(input_ids=ids).logits
        again = attach(fresh, tmp_path / "a")
        assert (
            again.mode == "frozen" and again.config.notes == {"space": "0-1"} and again.layers == twin.layers
        )
        assert torch.equal(fresh(input_ids=ids).logits, base)
        with again.using("learn"):
            assert torch.equal(fresh(input_ids=ids).logits, learned)
    with safe_open(tmp_path / "a" / "adapter_model.safetensors", "pt") as file:
        keys = list(file.keys())
    assert all(key.startswith(("layers.0.mlp.", "layers.2.mlp.")) for key in keys)
    assert all(".learn." in key or key.endswith("router.weight") for key in keys)
    size = sum(value.numel() for value in twin.parameters())
    assert sum(v.numel() for v in load_file(tmp_path / "a" / "adapter_model.safetensors").values()) == size


@pytest.mark.parametrize("kind", ["full", "experts", "lowrank"])
def test_a_twin_stored_in_16_bits_becomes_what_was_stored(kind, tmp_path):
    model = zoo.made("llama")
    twin = graft(model, TwinConfig(rank=4, kind=kind))
    zoo.train(model, twin, steps=3)
    ids = zoo.tokens()
    with twin.using("learn"), torch.no_grad():
        wide = model(input_ids=ids).logits
        twin.save(tmp_path / "a", half=True)
        learned = model(input_ids=ids).logits
    assert not torch.equal(wide, learned) and torch.allclose(wide, learned, atol=0.05)
    kept = load_file(tmp_path / "a" / "adapter_model.safetensors")
    assert {value.dtype for value in kept.values()} == {torch.float16} and is_short(tmp_path / "a")
    fresh = zoo.made("llama")
    again = attach(fresh, tmp_path / "a")
    with again.using("learn"), torch.no_grad():
        assert torch.equal(fresh(input_ids=ids).logits, learned)
    again.save(tmp_path / "b", half=True)
    assert (tmp_path / "a" / "adapter_model.safetensors").read_bytes() == (
        tmp_path / "b" / "adapter_model.safetensors"
    ).read_bytes()
    again.save(tmp_path / "c")
    assert not is_short(tmp_path / "c")


def test_a_twin_comes_back_in_a_new_process(tmp_path):
    model = zoo.made("llama")
    model.save_pretrained(tmp_path / "base")
    _, learned = _stored(tmp_path / "a")
    code = (
        # The number of threads splits sums: bit-equal means bit-equal at the same one.
        f"import torch; torch.set_num_threads({torch.get_num_threads()})\n"
        "from pathlib import Path; from deixis.learned.twin import attach\n"
        "from deixis.learned.twin.loading import load_base\n"
        "m = load_base(Path('base')); t = attach(m, 'a');"
        "ids = torch.randint(3, 80, (2, 9), generator=torch.Generator().manual_seed(0));\n"
        "with t.using('learn'), torch.no_grad(): torch.save(m(input_ids=ids).logits, 'out.pt')"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env=environment, timeout=100)
    assert torch.equal(torch.load(tmp_path / "out.pt", weights_only=True), learned)


def test_two_stored_twins_under_other_names(tmp_path):
    _, first = _stored(tmp_path / "a", kind="full")
    _, second = _stored(tmp_path / "b", kind="lowrank", layers="all")
    model, ids = zoo.made("llama"), zoo.tokens()
    attach(model, tmp_path / "a", name="one")
    attach(model, tmp_path / "b", name="two")
    with torch.no_grad():
        for name, wanted in (("one", first), ("two", second)):
            with twins_of(model)[name].using("learn"):
                assert torch.equal(model(input_ids=ids).logits, wanted)


@pytest.mark.parametrize(
    "name",
    [
        "model.layers.0.mlp.gate_proj.weight",
        "model.layers.1.self_attn.q_proj.weight",
        "model.embed_tokens.weight",
    ],
)
def test_a_base_with_one_other_tensor_is_refused_by_name(name, tmp_path):
    _stored(tmp_path / "a")
    model = zoo.made("llama")
    model.state_dict()[name].view(-1)[3] += 1e-3
    keys = list(model.state_dict())
    with pytest.raises(InputFault, match=name) as caught:
        attach(model, tmp_path / "a")
    assert caught.value.code == "twin.base.other" and caught.value.details["tensors"] == [name]
    assert list(model.state_dict()) == keys and not twins_of(model)
    if ".mlp." in name:
        with pytest.raises(InputFault, match=name):
            attach(model, tmp_path / "a", verify="touched")
    else:
        assert attach(model, tmp_path / "a", verify="touched").mode == "frozen"


def test_another_dtype_or_family_is_another_base(tmp_path):
    _stored(tmp_path / "a")
    with pytest.raises(InputFault, match=r"here bfloat16; the twin's base is float32"):
        attach(zoo.made("llama", torch.bfloat16), tmp_path / "a")
    with pytest.raises(InputFault, match="not the base"):
        attach(zoo.made("qwen3"), tmp_path / "a")


def test_no_damage_goes_unnoticed(tmp_path):
    twin, _ = _stored(tmp_path / "a")
    twin.gate = MarkerGate("<ground>")
    twin.save(tmp_path / "a")
    files = sorted(
        path for path in (tmp_path / "a").rglob("*") if path.is_file() and path.name != "README.md"
    )
    assert len(files) == 2
    for path in files:
        whole = path.read_bytes()
        for broken in (b"", whole[: len(whole) // 2], whole[:-1], bytes([whole[0] ^ 1]) + whole[1:], None):
            if broken is None:
                path.unlink()
            else:
                path.write_bytes(broken)
            model = zoo.made("llama")
            if path.name == "adapter_config.json" and broken == whole[:-1]:  # only the last line's end
                continue
            with pytest.raises(InputFault):
                attach(model, tmp_path / "a")
            assert not twins_of(model)
        path.write_bytes(whole)
    assert attach(zoo.made("llama"), tmp_path / "a").gate.markers == ("<ground>",)


@pytest.mark.parametrize(
    "change",
    [
        {"type": "LORA"},
        {"format": 99},
        {"twin": {}},
        {"twin": {"kind": "odd"}},
        {"layers": "x"},
        {"layers": [0]},
        {"layers": [99]},
        {"base": 3},
        {"files": {}},
        {"gate": {"kind": "oracle"}},
        {"gate": {"kind": "classifier", "features": "hashed"}},
    ],
)
def test_wrong_settings_in_a_folder_are_the_callers_mistake(change, tmp_path):
    _stored(tmp_path / "a")
    path = tmp_path / "a" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    model = zoo.made("llama")
    ids = zoo.tokens()
    base = model(input_ids=ids).logits
    if change == {"twin": {}}:  # all settings have defaults, but then the tensors do not fit
        path.write_text(json.dumps({**json.loads(path.read_text()), "twin": {"rank": 7, "kind": "lowrank"}}))
    with pytest.raises(InputFault):
        attach(model, tmp_path / "a")
    assert torch.equal(model(input_ids=ids).logits, base) and not twins_of(model)


def test_a_full_disk_leaves_the_old_folder_whole(tmp_path, monkeypatch):
    twin, learned = _stored(tmp_path / "a")
    before = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    zoo.train(twin.model, twin, steps=1)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(InputFault, match="No space left"):
        twin.save(tmp_path / "a")
    with pytest.raises(InputFault, match="No space left"):
        twin.save(tmp_path / "new")
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    monkeypatch.undo()
    with attach(model := zoo.made("llama"), tmp_path / "a").using("learn"):
        assert torch.equal(model(input_ids=zoo.tokens()).logits, learned)


@pytest.mark.parametrize("after", [1, 2])
def test_a_save_killed_between_its_renames_loses_nothing(after, tmp_path, monkeypatch):
    twin, learned = _stored(tmp_path / "a")
    code = (
        "import pathlib, os; count = 0; real = pathlib.Path.rename\n"
        "def dying(self, target):\n"
        "    global count\n"
        "    real(self, target); count += 1\n"
        f"    if count == {after}: os._exit(9)\n"
        "pathlib.Path.rename = dying\n"
        "from deixis.learned.twin.layout import write_folder\n"
        "write_folder(pathlib.Path('a'), lambda place: (place / 'adapter_config.json').write_text('new'))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=False).returncode
        == 9
    )
    if after == 1:
        with attach(model := zoo.made("llama"), tmp_path / "a").using("learn"):
            assert torch.equal(model(input_ids=zoo.tokens()).logits, learned)
    else:
        assert (tmp_path / "a" / "adapter_config.json").read_text() == "new"
    twin.save(tmp_path / "a")
    assert attach(zoo.made("llama"), tmp_path / "a").layers == [0, 2]
    assert not (tmp_path / ".a.previous").exists()


def test_a_folder_with_other_peoples_files_is_left_alone(tmp_path):
    twin = graft(zoo.made("llama"))
    (tmp_path / "thesis.txt").write_text("years")
    with pytest.raises(InputFault, match=r"thesis\.txt"):
        twin.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years"
    with pytest.raises(InputFault, match=r"no adapter_config\.json"):
        attach(zoo.made("llama"), tmp_path)


def test_the_card_names_the_base_and_what_is_not_forget_free(tmp_path):
    twin, _ = _stored(tmp_path / "a", router=True)
    twin.gate = MarkerGate("<ground>")
    twin.save(tmp_path / "a")
    card = (tmp_path / "a" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: deixis\nbase_model: llama\n")
    assert "marker, forget-free but for misroutes" in card and "NOT forget-free" in card
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert config["gate"]["forget_free"] is True
    assert any("mlp" in name for name in config["base"]["touched"])
    assert all("layers.0.mlp" in name or "layers.2.mlp" in name for name in config["base"]["touched"])
