"""The hard switch: nested, through exceptions, per thread and per task; by row and by token."""

from __future__ import annotations

import asyncio
import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.learned.twin import TwinConfig, graft
from deixis.learned.twin.gates.tokens import invoked_mask
from tests.learned.twin import zoo


@pytest.fixture(scope="module")
def pair():
    return _pair("llama")


def _pair(name, dtype=torch.float32, **settings):
    model = zoo.made(name, dtype)
    twin = graft(model, TwinConfig(kind="full", **settings))
    zoo.train(model, twin, steps=3)
    return model, twin


@torch.no_grad()
def _logits(model, ids, **more):
    return model(input_ids=ids, **more).logits


def _both(model, twin, ids, **more):
    with twin.using("learn"):
        learn = _logits(model, ids, **more)
    with twin.using("frozen"):
        return _logits(model, ids, **more), learn


@given(st.lists(st.tuples(st.sampled_from(["frozen", "learn"]), st.booleans()), max_size=6))
def test_nesting_and_exceptions_restore_the_state(pair, plan):
    _, twin = pair

    def enter(rest):
        before = twin.mode
        if rest:
            (mode, fails), *others = rest
            try:
                with twin.using(mode) as decision:
                    assert twin.mode == mode == decision.mode
                    enter(others)
                    assert twin.mode == mode
                    if fails:
                        raise KeyError
            except KeyError:
                pass
        assert twin.mode == before

    enter(plan)
    assert twin.mode == "frozen"


def test_an_unknown_expert_is_refused(pair):
    with pytest.raises(InputFault, match="no expert"), pair[1].using("both"):
        raise AssertionError


def test_threads_and_tasks_do_not_disturb_each_other(pair):
    model, twin = pair
    ids = zoo.tokens()
    frozen, learn = _both(model, twin, ids)
    seen = {}
    with twin.using("learn"):
        for name, work in (("plain", _logits), ("bound", twin.bound(_logits))):
            thread = threading.Thread(target=lambda n=name, w=work: seen.update({n: w(model, ids)}))
            thread.start()
            thread.join()
        assert torch.equal(_logits(model, ids), learn)
    assert torch.equal(seen["plain"], frozen) and torch.equal(seen["bound"], learn)

    async def task(mode):
        with twin.using(mode):
            await asyncio.sleep(0)
            return _logits(model, ids)

    async def all_of_them():
        return await asyncio.gather(*(task(mode) for mode in ("learn", "frozen", "learn")))

    results = asyncio.run(all_of_them())
    assert [torch.equal(out, learn) for out in results] == [True, False, True]
    assert torch.equal(results[1], frozen)


@pytest.mark.parametrize("name", ["llama", "gpt_oss", "qwen3_vl"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_nan_in_the_twin_reaches_no_frozen_row_or_token(name, dtype):
    model, twin = _pair(name, dtype)
    ids = zoo.tokens(3)
    frozen = _logits(model, ids)
    for parameter in twin.parameters():
        parameter.data.fill_(float("nan"))
    assert torch.equal(_logits(model, ids), frozen)
    with twin.using("learn"):
        assert _logits(model, ids).isnan().all()
    close = {"rtol": 2e-2, "atol": 5e-2} if dtype == torch.bfloat16 else {"rtol": 1e-5, "atol": 1e-5}
    with twin.using_rows([True, False, False]):
        rows = _logits(model, ids)
    assert rows[0].isnan().all()
    torch.testing.assert_close(rows[1:], frozen[1:], **close)
    mask = torch.arange(9)[None].expand(3, -1) >= 4
    # Within one layer: attention itself multiplies NaN of later tokens by zero, which is NaN.
    wrapper = model.get_decoder().layers[0].mlp
    x = torch.randn(3, 9, 32, generator=torch.Generator().manual_seed(0)).to(dtype)
    alone = wrapper(x)
    with twin.using_tokens(mask):
        mixed = wrapper(x)
    alone, mixed = (part[0] if isinstance(part, tuple) else part for part in (alone, mixed))
    assert torch.equal(mixed[:, :4], alone[:, :4]) and mixed[:, 4:].isnan().all()
    with twin.using_blend(1.0):  # the reason why a blend is no switch
        assert _logits(model, ids).isnan().any()


@settings(max_examples=12)
@given(st.lists(st.booleans(), min_size=1, max_size=5), st.integers(0, 99))
def test_each_row_is_its_single_run_in_order(pair, route, seed):
    model, twin = pair
    ids = zoo.tokens(len(route), 6, seed)
    with twin.using_rows(torch.tensor(route)) as decision:
        rows = _logits(model, ids)
    assert decision.gate == "rows" and decision.forget_free
    for number, learn in enumerate(route):
        single = _both(model, twin, ids[number : number + 1])[int(learn)]
        torch.testing.assert_close(rows[number : number + 1], single, rtol=1e-4, atol=1e-5)
    if not any(route):
        assert torch.equal(rows, _both(model, twin, ids)[0])


def test_rows_work_through_generate_with_beams_and_refuse_another_batch(pair):
    model, twin = pair
    ids = zoo.tokens(2)
    said = {"max_new_tokens": 4, "min_new_tokens": 4, "do_sample": False, "pad_token_id": 0}
    with twin.using_rows([True, False]):
        together = model.generate(ids, **said)
        assert model.generate(ids, num_beams=2, **said).shape == together.shape
        with pytest.raises(InputFault, match="names 2 rows, the batch has 3"):
            _logits(model, zoo.tokens(3))
    with twin.using("learn"):
        assert torch.equal(together[:1], model.generate(ids[:1], **said))
    assert torch.equal(together[1:], model.generate(ids[1:], **said))


def test_a_mask_of_another_shape_is_refused(pair):
    model, twin = pair
    with twin.using_tokens(torch.ones(2, 5, dtype=torch.bool)), pytest.raises(InputFault, match=r"\(2, 5\)"):
        _logits(model, zoo.tokens(2, 9))
    with pytest.raises(InputFault, match="bool"), twin.using_tokens(torch.ones(2, 5)):
        raise AssertionError


@pytest.mark.parametrize("name", ["llama", "phi", "mixtral", "smolvlm"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_prefix_before_an_invocation_token_is_the_base(name, dtype):
    model, twin = _pair(name, dtype)
    ids = zoo.tokens(2)
    ids[0, 5], ids[1, 3] = 85, 85
    frozen, learn = _both(model, twin, ids)
    with twin.using_from(85) as decision:
        mixed = _logits(model, ids)
    assert decision.gate == "tokens" and decision.forget_free
    if name == "mixtral":  # its experts see other numbers of tokens, so their rounding differs
        close = {"rtol": 2e-2, "atol": 2e-2} if dtype == torch.bfloat16 else {"rtol": 1e-5, "atol": 1e-6}
        torch.testing.assert_close(mixed[0, :5], frozen[0, :5], **close)
    else:
        assert torch.equal(mixed[0, :5], frozen[0, :5]) and torch.equal(mixed[1, :3], frozen[1, :3])
    assert not torch.allclose(mixed[0, 5:], frozen[0, 5:]) and not torch.allclose(mixed[1, 3:], learn[1, 3:])
    with twin.using_from(86):  # never called: the base throughout
        assert torch.equal(_logits(model, ids), frozen)


def test_a_row_that_called_the_twin_stays_with_it_in_cached_generation(pair):
    model, twin = pair
    ids = zoo.tokens(2)
    ids[0, 5] = 85
    said = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False, "pad_token_id": 0}
    with twin.using_from(85):
        cached = model.generate(ids, **said)
        plain = model.generate(ids, use_cache=False, **said)
        beams = model.generate(ids, num_beams=2, **said)
        beams_plain = model.generate(ids, num_beams=2, use_cache=False, **said)
    assert torch.equal(cached, plain) and torch.equal(beams, beams_plain)
    assert torch.equal(cached[1:], model.generate(ids[1:], **said))
    assert not torch.equal(cached[0], model.generate(ids, **said)[0])


def test_an_invocation_needs_token_numbers(pair):
    model, twin = pair
    embedded = model.get_input_embeddings()(zoo.tokens())
    with twin.using_from(85), pytest.raises(InputFault, match="input_ids"):
        model(inputs_embeds=embedded)
    with pytest.raises(InputFault, match="No invocation"), twin.using_from([]):
        raise AssertionError


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=12), st.lists(st.integers(0, 3), min_size=1, max_size=3)
)
def test_the_mask_begins_at_the_first_whole_invocation(ids, invocation):
    width = len(invocation)
    first = next((at for at in range(len(ids)) if ids[at : at + width] == invocation), len(ids))
    mask = invoked_mask(torch.tensor([ids]), tuple(invocation))
    assert mask[0].tolist() == [at >= first for at in range(len(ids))]
    assert invoked_mask(torch.tensor([ids]), tuple(invocation), torch.tensor([True])).all()


def test_blend_and_router_are_labelled_and_a_blend_of_one_is_the_base():
    model, twin = _pair("llama", router=True)
    ids = zoo.tokens()
    frozen, learn = _both(model, twin, ids)
    with twin.using_blend(1.0) as decision:
        assert torch.equal(_logits(model, ids), frozen)
    assert not decision.forget_free and decision.score == 1.0 and decision.score_kind == "frozen share"
    with twin.using_blend(0.0):
        assert torch.equal(_logits(model, ids), learn)
    with twin.using_router() as decision:
        mixed = _logits(model, ids)
    assert not decision.forget_free
    assert not torch.equal(mixed, frozen) and not torch.equal(mixed, learn)
    with twin.using_router():
        model(input_ids=ids, labels=ids).loss.backward()
    assert twin.named_parameters()["layers.0.mlp.router.weight"].grad.abs().sum() > 0
    with pytest.raises(InputFault, match="share"), twin.using_blend(1.5):
        raise AssertionError
    with pytest.raises(InputFault, match="no router"), _pair("llama")[1].using_router():
        raise AssertionError
