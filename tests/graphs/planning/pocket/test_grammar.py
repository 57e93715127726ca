"""The grammar: whatever it lets out is a step that can be read and carried out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers")
pytest.importorskip("llguidance")

from deixis.answer import Score
from deixis.errors import WeightsMissing
from deixis.geometry import Box, TimeSpan
from deixis.graphs.planning.pocket.asking import Heard, Situation
from deixis.graphs.planning.pocket.grammar import ROLES_OF, Allowed, Grammar
from deixis.graphs.planning.pocket.steps import next_step, read
from deixis.graphs.planning.protocol import NextStep
from deixis.learned.mllm.tokens import CALL, END, END_REF, PROPOSALS, REF, STEPS
from deixis.learned.scout.proposals import Proposal
from deixis.learned.scout.sample import SampleMedium
from deixis.tools.hearing.protocol import SoundEvent
from tests.graphs.planning.pocket.dictated import tokenizer

PICTURE = SampleMedium(kind="image", digest=f"sha256:{'a' * 64}", source="run", width=160, height=120)
SOUND = SampleMedium(kind="audio", digest=f"sha256:{'b' * 64}", source="run", seconds=4.0, rate_hz=16_000)
BARK = SoundEvent(
    label="bark",
    span=TimeSpan(start_s=1.0, end_s=2.0),
    score=Score(value=0.9, kind="hearing"),
    class_id="/m/05tny_",
)
NOW = Situation(
    "What makes the bark?",
    (PICTURE, SOUND),
    (),
    False,
    (
        Proposal(1, "dog", Box(x1=10, y1=20, x2=60, y2=80), 0.9),
        Proposal(2, "dog", Box(x1=80, y1=30, x2=120, y2=90), 0.8),
    ),
    "2.1",
    (Heard("1.1~1", BARK, SOUND.digest),),
)
ALL = Allowed(("detection", "tagging", "segmentation", "hearing", "matching"), 2, 1, 1)


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(tokenizer())


def numbers(*tokens: str) -> list[int]:
    return [int(one) for one in tokenizer().convert_tokens_to_ids(list(tokens))]


def words(text: str) -> list[int]:
    return [int(one) for one in tokenizer()(text, add_special_tokens=False).input_ids]


def fits(grammar: Grammar, ids: list[int], allowed: Allowed = ALL) -> bool:
    held = grammar.held("step", allowed)
    try:
        done = [held.take(token) for token in ids]
    except ValueError:
        return False
    return done[-1] and not any(done[:-1])


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_out_is_a_step(grammar: Grammar, seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = grammar.held("step", ALL)
    end = numbers(END)[0]
    ids: list[int] = []
    for _ in range(2000):
        may = held.allowed()
        # Rare tokens come by a draw over all, the end often enough that not every step is the longest.
        token = end if end in may and rng.random() < 0.1 else int(may[rng.integers(len(may))])
        ids.append(token)
        if held.take(token):
            break
    step = read(ids, tokenizer(), NOW)
    made = next_step(step, NOW)
    assert isinstance(made, NextStep) and (made.text or made.calls)
    for action in step.actions:
        assert action.role in ROLES_OF[step.kind]
        assert action.role != "detection" or action.input.get("phrases") or action.input.get("everything")
    for claim in made.claims:
        assert claim.phrase in made.text


def test_steps_of_the_training_form_fit_and_others_do_not(grammar: Grammar) -> None:
    dog = [*numbers(REF), *words("dog"), *numbers(END_REF, "#1")]
    select = [*numbers(STEPS["select"]), *words("#1 is the"), *dog, *words("."), *numbers(END)]
    assert fits(grammar, select)
    look = [*numbers(STEPS["locate"], CALL, "<|detection|>"), *words("dog; cat"), *numbers("<|end_call|>")]
    assert fits(grammar, look)
    assert not fits(grammar, look, Allowed(("hearing",), 2, 1, 1)), "only what can be called"
    assert not fits(grammar, [*numbers(STEPS["select"]), *numbers(END)]), "a step has words"
    assert not fits(grammar, [*numbers(STEPS["answer"], CALL, "<|tagging|>", "<|end_call|>")])
    third = [*numbers(STEPS["select"]), *words("it"), *numbers(REF), *words("dog"), *numbers(END_REF)]
    assert fits(grammar, [*third, *numbers("#2", END)])
    assert not fits(grammar, [*third, *numbers("#3", END)]), "there are two proposals"
    assert not fits(grammar, [*third, *numbers(PROPOSALS[0], END)], Allowed((), 0, 1, 0))
    assert not fits(grammar, select, Allowed((), 2, 1, 1, steps=False)), "only the answer is left"
    half = [*third, *numbers("<x1_3>", "<y1_4>", "<x2_9>")]
    assert not fits(grammar, [*half, *numbers(END)]) and fits(grammar, [*half, *numbers("<y2_9>", END)])


def test_places_become_references_and_words_that_deny_become_denials() -> None:
    dog = [*words("the"), *numbers(REF), *words("dog"), *numbers(END_REF, "#2"), *words("makes the")]
    bark = [*numbers(REF), *words("bark"), *numbers(END_REF, "<t1_20>", "<t2_41>"), *words(".")]
    gone = [*words("there is no"), *numbers(REF), *words("red dog"), *numbers(END_REF), *words(".")]
    ids = [*numbers(STEPS["answer"]), *gone, *dog, *bark, *numbers(END)]
    made = next_step(read(ids, tokenizer(), NOW), NOW)
    assert made.text == "There is no red dog. The dog makes the bark."
    assert [(claim.phrase, claim.refs) for claim in made.claims] == [
        ("The dog", ("2.1#2",)),  # 'dog' alone stands in 'red dog' as well
        ("bark", ("1.1~1",)),
    ]
    assert [(one.phrase, one.medium) for one in made.denials] == [("red dog", "image")]
    assert [(one.sound, one.thing, one.verdict) for one in made.linked] == [("1.1~1", "2.1#2", "matched")]


def test_missing_weights_tell_the_cure(tmp_path: Any) -> None:
    pytest.importorskip("torch")
    from deixis.errors import InputFault
    from deixis.graphs.planning.pocket.planner import pocket

    with pytest.raises(WeightsMissing) as caught:
        pocket(base=str(tmp_path / "nowhere"))
    assert caught.value.code == "weights.missing" and "adapter=FOLDER" in caught.value.cure
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(InputFault) as other:
        pocket(base=str(folder))
    assert other.value.code == "planner.pocket.pickled"
    with pytest.raises(InputFault) as third:
        pocket(expert="both")  # type: ignore[arg-type]
    assert third.value.code == "planner.pocket.option"
