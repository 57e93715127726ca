"""Grafting and taking out again, over many families of models and all kinds of twins."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deixis.errors import InputFault
from deixis.learned.twin import TwinConfig, graft, twins_of
from deixis.learned.twin.anatomy import decoder_of
from deixis.learned.twin.config import layer_numbers
from deixis.learned.twin.digests import tensor_digests
from deixis.learned.twin.wrapper import TwinFeedForward
from tests.learned.twin import zoo

KINDS = ("full", "experts", "lowrank", "lowrank_experts")
CASES = [
    *((name, "full") for name in zoo.ALL),
    *((name, "lowrank") for name in zoo.ALL),
    *((name, kind) for name in ("qwen3", "phi", "gpt2", "llava") for kind in ("experts", "lowrank_experts")),
]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_twin_starts_as_the_base_learns_and_leaves(name, kind):
    model = zoo.made(name)
    ids = zoo.tokens()
    keys, before = list(model.state_dict()), tensor_digests(model.state_dict())
    originals = [layer.mlp for layer in _layers(model)]
    base = model(input_ids=ids).logits
    twin = graft(model, TwinConfig(kind=kind, rank=4))
    assert twin.mode == "frozen"
    assert torch.equal(model(input_ids=ids).logits, base)
    with twin.using("learn"):
        start = model(input_ids=ids).logits
    if kind == "experts":  # a token's expert sees other shapes than the whole batch
        torch.testing.assert_close(start, base, rtol=1e-5, atol=1e-5)
    else:
        assert torch.equal(start, base)
    losses = zoo.train(model, twin)
    assert losses[-1] < losses[0]
    assert torch.equal(model(input_ids=ids).logits, base)
    with twin.using("learn"):
        assert not torch.allclose(model(input_ids=ids).logits, base, atol=1e-3)
    twin.detach()
    assert list(model.state_dict()) == keys
    assert tensor_digests(model.state_dict()) == before
    assert [layer.mlp for layer in _layers(model)] == originals
    assert torch.equal(model(input_ids=ids).logits, base)
    assert "save_pretrained" not in model.__dict__
    assert not decoder_of(model)._forward_pre_hooks and not decoder_of(model)._forward_hooks


@pytest.mark.parametrize("name", zoo.SEEING)
def test_only_the_language_model_is_wrapped(name):
    model = zoo.made(name)
    graft(model, TwinConfig(layers="all"))
    wrapped = [path for path, part in model.named_modules() if isinstance(part, TwinFeedForward)]
    assert len(wrapped) == 4
    assert all(("language_model" in path or "text_model" in path) and "vis" not in path for path in wrapped)


@pytest.mark.parametrize("name", ["llama", "phi", "mixtral", "qwen2_5_vl"])
def test_only_the_twin_trains(name):
    model = zoo.made(name)
    twin = graft(model, TwinConfig(kind="lowrank", rank=2))
    ids = zoo.tokens()
    twin.train()
    with twin.using("learn"):
        model(input_ids=ids, labels=ids).loss.backward()
    own = {id(value) for value in twin.parameters()}
    assert own and {id(v) for v in model.parameters() if v.requires_grad} == own
    assert {id(v) for v in model.parameters() if v.grad is not None} == own


def test_flags_of_the_base_come_back():
    model = zoo.made("llama")
    model.lm_head.weight.requires_grad_(False)
    model.train()
    twin = graft(model)
    twin.detach()
    assert not model.lm_head.weight.requires_grad
    assert model.model.embed_tokens.weight.requires_grad
    assert all(part.training for part in model.modules())


def test_the_original_object_is_called_with_what_the_layer_gave_and_its_result_is_returned():
    model = zoo.made("llama")
    original = model.model.layers[0].mlp
    twin = graft(model, TwinConfig(layers=(0,)))
    seen = []
    given_back = torch.zeros(1, 2, 32)
    original.forward = lambda *args, **kwargs: seen.append((args, kwargs)) or given_back
    x = torch.ones(1, 2, 32)
    wrapper = model.model.layers[0].mlp
    assert wrapper(x, 5, flag=True) is given_back
    assert seen[0][0][0] is x and seen[0][0][1:] == (5,) and seen[0][1] == {"flag": True}
    with twin.using("learn"):
        assert wrapper(x) is not given_back
    assert len(seen) == 1


def test_the_frozen_module_stays_in_evaluation():
    model = zoo.made("llama")
    twin = graft(model, TwinConfig(kind="lowrank", dropout=0.5, rank=4))
    model.train()
    wrapper = model.model.layers[0].mlp
    assert not wrapper.frozen.training and wrapper.learn["default"].training
    twin.train()
    assert not model.training and not model.model.layers[0].self_attn.training
    assert wrapper.learn["default"].training
    twin.eval()
    assert not any(part.training for part in model.modules())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_several_named_twins_keep_their_own_answers(dtype):
    model, ids = zoo.made("qwen3", dtype), zoo.tokens()
    base = model(input_ids=ids).logits
    answers = {}
    for name, kind, layers in (("a", "full", "every:2"), ("b", "lowrank", "all"), ("c", "experts", (3,))):
        twin = graft(model, TwinConfig(name=name, kind=kind, layers=layers, rank=4))
        zoo.train(model, twin, steps=2)
        with twin.using("learn"):
            answers[name] = model(input_ids=ids).logits
    twins = twins_of(model)
    for name, expected in answers.items():
        with twins[name].using("learn"):
            assert torch.equal(model(input_ids=ids).logits, expected)
    assert len({float(part.detach().float().sum()) for part in answers.values()}) == 3
    twins["b"].detach()
    assert isinstance(model.model.layers[0].mlp, TwinFeedForward)
    assert not isinstance(model.model.layers[1].mlp, TwinFeedForward)
    with twins["a"].using("learn"):
        assert torch.equal(model(input_ids=ids).logits, answers["a"])
    twins["a"].detach()
    twins["c"].detach()
    assert torch.equal(model(input_ids=ids).logits, base)
    with pytest.raises(InputFault, match="detached"), twins["a"].using("learn"):
        raise AssertionError


def test_a_copy_of_a_grafted_model_lives_on_its_own():
    model, ids = zoo.made("llama"), zoo.tokens()
    twin = graft(model, TwinConfig(kind="lowrank", rank=4))
    zoo.train(model, twin)
    other = copy.deepcopy(model)
    with twin.using("learn"):
        learned = model(input_ids=ids).logits
        assert not torch.equal(other(input_ids=ids).logits, learned)
    with twins_of(other)["default"].using("learn"):
        assert torch.equal(other(input_ids=ids).logits, learned)
    twin.detach()
    with twins_of(other)["default"].using("learn"):
        assert torch.equal(other(input_ids=ids).logits, learned)


def test_auxiliary_loss_is_there_for_mixtures_alone_and_pulls_on_the_router():
    model, ids = zoo.made("llama"), zoo.tokens()
    plain = graft(model, TwinConfig(name="plain"))
    mixed = graft(model, TwinConfig(name="mixed", kind="lowrank_experts", rank=2, auxiliary_weight=0.5))
    for twin in (plain, mixed):
        twin.train()
        with twin.using("learn"):
            model(input_ids=ids)
    assert float(plain.auxiliary_loss()) == 0.0
    loss = mixed.auxiliary_loss()
    assert 0.4 < float(loss) < 1.5  # the weight times 1 for an even load
    loss.backward()
    router = mixed.modules()[0].router.weight
    assert router.grad is not None and router.grad.abs().sum() > 0


def test_top_k_experts_alone_compute_a_token():
    model, ids = zoo.made("llama"), zoo.tokens()
    twin = graft(model, TwinConfig(kind="experts", experts=3, top_k=1, layers=(0,)))
    learn = twin.modules()[0]
    with torch.no_grad():
        learn.router.weight.zero_()  # ties go to the first expert
        for parameter in learn.experts[2].parameters():
            parameter.fill_(float("nan"))
    with twin.using("learn"):
        assert torch.isfinite(model(input_ids=ids).logits).all()


def test_starting_a_twin_leaves_the_global_generator_alone_and_follows_the_seed():
    state = torch.random.get_rng_state()
    first, second, third = (
        list(graft(zoo.made("llama"), TwinConfig(kind="lowrank", seed=seed)).parameters())
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, third, strict=True))


def test_a_quantised_base_takes_a_low_rank_twin_and_refuses_a_copy():
    model, ids = zoo.made("llama"), zoo.tokens()
    for layer in model.model.layers:
        for name in ("gate_proj", "up_proj", "down_proj"):
            setattr(layer.mlp, name, _Int8(getattr(layer.mlp, name)))
    base = model(input_ids=ids).logits
    with pytest.raises(InputFault, match=r"Layer 0 .*quantised.*lowrank"):
        graft(model)
    twin = graft(model, TwinConfig(kind="lowrank", dtype="bfloat16", rank=4))
    losses = zoo.train(model, twin, rate=3e-2)
    assert losses[-1] < losses[0]
    assert next(twin.parameters()).dtype == torch.bfloat16
    assert torch.equal(model(input_ids=ids).logits, base)


@pytest.mark.parametrize(
    ("family", "wanted"),
    [("OPT", r"Layer 0 \(OPTDecoderLayer\).*fc1 and fc2"), ("Bart", r"BartDecoderLayer")],
)
def test_bare_maps_are_refused_by_layer_and_nothing_is_changed(family, wanted):
    import transformers as tf

    if family == "OPT":
        config = tf.OPTConfig(
            vocab_size=96,
            hidden_size=32,
            ffn_dim=48,
            num_hidden_layers=2,
            word_embed_proj_dim=32,
            num_attention_heads=4,
        )
        model = tf.OPTForCausalLM(config)
    else:
        sizes = dict.fromkeys(("encoder_layers", "decoder_layers"), 2) | dict.fromkeys(
            ("encoder_ffn_dim", "decoder_ffn_dim"), 48
        )
        model = tf.BartForConditionalGeneration(
            tf.BartConfig(
                vocab_size=96, d_model=32, encoder_attention_heads=4, decoder_attention_heads=4, **sizes
            )
        )
    keys = list(model.state_dict())
    with pytest.raises(InputFault, match=wanted) as caught:
        graft(model)
    assert caught.value.code == "twin.layer.unsupported" and caught.value.details["layer"] == 0
    assert list(model.state_dict()) == keys
    assert all(value.requires_grad for value in model.parameters())


def test_a_refusal_in_a_later_layer_changes_nothing():
    model = zoo.made("llama")
    del model.model.layers[2].mlp
    with pytest.raises(InputFault, match="Layer 2"):
        graft(model)
    assert not any(isinstance(part, TwinFeedForward) for part in model.modules())
    assert all(value.requires_grad for value in model.parameters())


def test_experts_beside_the_feed_forward_module_are_refused():
    model = zoo.made("llama")
    model.model.layers[0].router = torch.nn.Linear(2, 2)
    model.model.layers[0].experts = torch.nn.Linear(2, 2)
    with pytest.raises(InputFault, match=r"Layer 0 .*beside"):
        graft(model)


@pytest.mark.parametrize("kind", ["experts", "lowrank_experts"])
def test_a_mixture_over_a_mixture_is_refused(kind):
    with pytest.raises(InputFault, match=r"Layer 0 .*mixture of experts already"):
        graft(zoo.made("mixtral"), TwinConfig(kind=kind))


def test_other_refusals():
    model = zoo.made("llama")
    twin = graft(model)
    with pytest.raises(InputFault, match="already has a twin"):
        graft(model)
    with pytest.raises(InputFault, match="not merged"):
        twin.merge()
    with pytest.raises(InputFault, match="not merged"):
        twin.merge_and_unload()
    with twin.using("learn"), pytest.raises(InputFault, match="in use"):
        twin.detach()
    with pytest.raises(InputFault, match="no decoder"):
        graft(torch.nn.Linear(2, 2))


@given(
    st.integers(1, 40), st.sampled_from(["all", "first_half", "second_half", "every:1", "every:2", "every:3"])
)
def test_layer_patterns(count, pattern):
    chosen = layer_numbers(pattern, count)
    assert chosen and chosen == sorted(set(chosen)) and set(chosen) <= set(range(count))
    halves = layer_numbers("first_half", count), layer_numbers("second_half", count)
    assert set(halves[0]) | set(halves[1]) == set(range(count))
    if pattern.startswith("every"):
        assert chosen == list(range(0, count, int(pattern[-1])))


@pytest.mark.parametrize("layers", [(4,), (-5,), (0, 0), (0, -4), ()])
def test_wrong_layer_numbers(layers):
    with pytest.raises(InputFault, match="decoder has 4"):
        layer_numbers(layers, 4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"layers": "some"},
        {"layers": "every:0"},
        {"kind": "x"},
        {"name": "a.b"},
        {"name": "keys"},
        {"rank": 0},
        {"top_k": 5},
        {"ranks": 3},
    ],
)
def test_wrong_settings(wrong):
    with pytest.raises(ValidationError):
        TwinConfig(**wrong)


def _layers(model):
    decoder = decoder_of(model)
    return decoder.layers if hasattr(decoder, "layers") else decoder.h


class _Int8(torch.nn.Module):
    """A linear map with weights of eight bits, as a quantised base has them."""

    def __init__(self, linear):
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        scale = linear.weight.detach().abs().amax(1, keepdim=True) / 127
        self.register_buffer("scale", scale)
        self.register_buffer("packed", (linear.weight.detach() / scale).round().to(torch.int8))

    def forward(self, x):
        return torch.nn.functional.linear(x, self.packed.to(x.dtype) * self.scale.to(x.dtype))
