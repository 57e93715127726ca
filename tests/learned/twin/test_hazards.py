"""What can break a frozen path without anybody noticing: caches, checkpointing, saving."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from deixis.errors import InputFault
from deixis.learned.twin import TwinConfig, graft, trust_cache, twins_of
from deixis.learned.twin.digests import tensor_digests
from deixis.learned.twin.wrapper import TwinFeedForward
from tests.learned.twin import zoo


def _pair(name="llama", kind="full", **settings):
    model = zoo.made(name)
    twin = graft(model, TwinConfig(kind=kind, rank=4, **settings))
    zoo.train(model, twin, steps=3)
    return model, twin


@torch.no_grad()
def _filled(model, ids):
    return model(input_ids=ids, use_cache=True).past_key_values


@torch.no_grad()
def _continued(model, cache, ids):
    return model(input_ids=ids, past_key_values=cache, use_cache=True).logits


@pytest.mark.parametrize("name", ["llama", "gpt2", "gpt_oss", "qwen3_vl", "idefics3"])
@pytest.mark.parametrize(("first", "second"), [("learn", "frozen"), ("frozen", "learn")])
def test_a_cache_of_one_expert_is_refused_with_the_other(name, first, second):
    model, twin = _pair(name)
    ids = zoo.tokens()
    with twin.using(first):
        cache = _filled(model, ids)
        _continued(model, cache, ids[:, :1])
    with twin.using(second), pytest.raises(InputFault, match="was filled by") as caught:
        _continued(model, cache, ids[:, :1])
    assert caught.value.code == "twin.cache.expert"
    with twin.using(second), pytest.raises(InputFault):
        _continued(model, copy.deepcopy(cache), ids[:, :1])


def test_a_cache_of_another_twin_or_route_is_refused():
    model, twin = _pair()
    other = graft(model, TwinConfig(name="other", kind="lowrank"))
    ids = zoo.tokens()
    with twin.using("learn"):
        cache = _filled(model, ids)
    with other.using("learn"), pytest.raises(InputFault, match="was filled by"):
        _continued(model, cache, ids[:, :1])
    with twin.using_rows([True, False]):
        cache = _filled(model, ids)
    with twin.using_rows([False, True]), pytest.raises(InputFault, match="was filled by"):
        _continued(model, cache, ids[:, :1])


def test_a_frozen_prefix_may_be_shared_by_copy():
    model, twin = _pair()
    ids = zoo.tokens()
    prefix, rest = ids[:, :6], ids[:, 6:]
    cache = _filled(model, prefix)
    alone = _continued(model, copy.deepcopy(cache), rest)
    shared = twin.fork(cache)
    with twin.using("learn"):
        learned = _continued(model, shared, rest)
    mask = torch.arange(9)[None].expand(2, -1) >= 6
    with twin.using_tokens(mask), torch.no_grad():
        expected = model(input_ids=ids).logits[:, 6:]
    torch.testing.assert_close(learned, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(_continued(model, cache, rest), alone)  # the original is as it was
    with pytest.raises(InputFault, match="was filled by"):  # and the copy is the twin's now
        _continued(model, shared, rest)
    with pytest.raises(InputFault, match="Only a prefix"):
        twin.fork(shared)


def test_a_cache_of_unknown_origin_is_refused_until_somebody_vouches_for_it():
    model, ids = zoo.made("llama"), zoo.tokens()
    cache = _filled(model, ids)
    expected = _continued(model, copy.deepcopy(cache), ids[:, :1])
    twin = graft(model)
    with pytest.raises(InputFault, match="not known"):
        _continued(model, cache, ids[:, :1])
    assert torch.equal(_continued(model, trust_cache(cache), ids[:, :1]), expected)
    with twin.using("learn"), pytest.raises(InputFault, match="was filled by"):
        _continued(model, cache, ids[:, :1])


def test_a_cache_emptied_is_a_new_one():
    from transformers import DynamicCache

    model, twin = _pair()
    ids = zoo.tokens()
    cache = DynamicCache(config=model.config)
    with twin.using("learn"):
        model(input_ids=ids, past_key_values=cache)
    cache.crop(-9)
    expected = model(input_ids=ids, use_cache=False).logits
    torch.testing.assert_close(model(input_ids=ids, past_key_values=cache).logits, expected)


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("kind", ["full", "lowrank"])
def test_a_flip_between_forward_and_backward_has_no_effect_under_checkpointing(reentrant, kind):
    gradients = []
    for flips in (False, True):
        model, twin = _pair(kind=kind)
        ids = zoo.tokens()
        _checkpointing(model, reentrant)
        model.enable_input_require_grads()
        twin.train()
        with twin.using("learn"):
            loss = model(input_ids=ids, labels=ids).loss
            if not flips:
                loss.backward()
        if flips:
            assert twin.mode == "frozen"
            loss.backward()
        gradients.append([value.grad.clone() for value in twin.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    assert any(value.abs().sum() > 0 for value in gradients[0])


def test_checkpointing_gives_the_gradients_of_plain_training_also_by_token():
    model, twin = _pair()
    ids = zoo.tokens()
    ids[:, 4] = 85
    found = []
    for checkpointed in (False, True):
        if checkpointed:
            _checkpointing(model, False)
        twin.train()
        with twin.using_from(85):
            loss = model(input_ids=ids, labels=ids).loss
        with torch.no_grad(), twin.using_from(85):
            model(input_ids=zoo.tokens(3, 5))  # another call in between moves the mask
        loss.backward()
        found.append([value.grad.clone() for value in twin.parameters()])
        for value in twin.parameters():
            value.grad = None
    for plain, again in zip(*found, strict=True):
        torch.testing.assert_close(plain, again)


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_flip_under_checkpointing_by_hand_is_noticed(reentrant):
    model, twin = _pair(layers=(0,))
    wrapper = model.model.layers[0].mlp
    twin.train()
    x = torch.randn(1, 4, 32, requires_grad=True)
    with twin.using("learn"):
        out = checkpoint(wrapper, x, use_reentrant=reentrant)
    with pytest.raises(InputFault, match="recomputing"):
        out.sum().backward()
    with twin.using("learn"):
        checkpoint(wrapper, x, use_reentrant=reentrant).sum().backward()
    assert x.grad is not None


def test_the_balancing_loss_under_checkpointing():
    model, ids = zoo.made("llama"), zoo.tokens()
    twin = graft(model, TwinConfig(kind="lowrank_experts", rank=2))
    found = []
    for reentrant in (None, False, True):
        if reentrant is not None:
            _checkpointing(model, reentrant)
            model.enable_input_require_grads()
        twin.train()
        with twin.using("learn"):
            loss = model(input_ids=ids, labels=ids).loss
            if reentrant:
                with pytest.raises(InputFault, match="re-entrant"):
                    twin.auxiliary_loss()
                continue
            (loss + twin.auxiliary_loss()).backward()
        found.append(twin.modules()[0].router.weight.grad.clone())
        for value in twin.parameters():
            value.grad = None
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("name", ["llama", "gpt2", "mixtral", "gpt_oss", "qwen2_5_vl", "smolvlm", "llava"])
def test_save_pretrained_writes_the_base(name, tmp_path):
    model = zoo.made(name)
    model.save_pretrained(tmp_path / "before")
    ids = zoo.tokens()
    base = model(input_ids=ids).logits
    twin = graft(model, TwinConfig(kind="full"))
    zoo.train(model, twin, steps=2)
    model.save_pretrained(tmp_path / "after")
    assert _keys(tmp_path / "after") == _keys(tmp_path / "before")
    again = type(model).from_pretrained(tmp_path / "after").eval()
    assert torch.equal(again(input_ids=ids).logits, base)
    assert isinstance(
        model.get_decoder().h[0].mlp if name == "gpt2" else model.get_decoder().layers[0].mlp, TwinFeedForward
    )
    with twin.using("learn"):
        assert not torch.equal(model(input_ids=ids).logits, base)


def test_every_way_of_saving_keeps_the_twin_out(tmp_path):
    model, twin = _pair()
    wanted = _keys_of(zoo.made("llama"), tmp_path / "wanted")
    assert _keys_of(model, tmp_path / "given", state_dict=model.state_dict()) == wanted
    inner = zoo.made("llama").model
    assert _keys_of(model.model, tmp_path / "inner") == _keys_of(inner, tmp_path / "plain")
    other = copy.deepcopy(model)
    twin.detach()
    assert _keys_of(other, tmp_path / "copy") == wanted
    assert list(twins_of(other)) == ["default"]


def test_a_failed_save_leaves_the_twin_in_place(tmp_path):
    model, twin = _pair()
    with pytest.raises(ZeroDivisionError):
        model.save_pretrained(tmp_path, state_dict=_Failing())
    with twin.using("learn"):
        assert isinstance(model.model.layers[0].mlp, TwinFeedForward)


def test_an_outer_model_that_nobody_guarded_still_saves_a_right_base(tmp_path):
    model = zoo.made("llava")
    ids = zoo.tokens()
    base = model(input_ids=ids).logits
    twin = graft(model.model.language_model, TwinConfig(layers="all"))
    for value in twin.parameters():
        value.data.mul_(3)
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path).eval()
    assert torch.equal(again(input_ids=ids).logits, base)


def test_state_dicts_name_the_base_as_ever_and_load_again():
    model, twin = _pair()
    plain = zoo.made("llama")
    state = model.state_dict()
    assert {key for key in state if ".learn." not in key} == set(plain.state_dict())
    assert tensor_digests(twin.board.base_state()) == tensor_digests(plain.state_dict())
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
    model.load_state_dict({key: value + 1 for key, value in state.items()})
    assert torch.equal(model.model.layers[0].mlp.frozen.gate_proj.weight, torch.ones(48, 32))
    assert torch.equal(model.model.layers[0].mlp.gate_proj.weight, torch.ones(48, 32))


def _keys_of(model, folder, **more):
    model.save_pretrained(folder, **more)
    return _keys(folder)


def _keys(folder):
    from safetensors import safe_open

    assert json.loads((folder / "config.json").read_text())["model_type"]
    with safe_open(folder / "model.safetensors", "pt") as file:
        return sorted(file.keys())


class _Failing(dict):
    def items(self):
        raise ZeroDivisionError


def _checkpointing(model, reentrant):
    switch = getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)
    switch({"use_reentrant": reentrant})
