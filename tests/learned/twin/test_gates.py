"""Gates by text: markers and the prompt classifier."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.learned.twin import TwinConfig, attach, graft
from deixis.learned.twin.gates.classifier import PromptGate, train_gate
from deixis.learned.twin.gates.features import hashed, prompt_embedder
from deixis.learned.twin.gates.marker import MarkerGate
from deixis.learned.twin.gates.measure import measure_gate, rate
from deixis.learned.twin.gates.prompts import Prompt, read_prompts, write_prompts
from tests.learned.twin import zoo

THINGS = "dog cat cup boat tree horse lamp chair bird car drum bell".split()
GROUNDING = (
    ("Where is the {a}?", False),
    ("Point at the {a}.", False),
    ("Give the box of the {a}.", False),
    ("Show me the {a} left of the {b}.", True),
    ("Which {a} makes the sound? Mark it.", True),
    ("Locate every {a} in the picture.", False),
)
UNDERSTANDING = (
    ("What colour is the {a}?", False),
    ("How many {a}s are there?", False),
    ("Describe the picture.", False),
    ("Is the {a} left of the {b}?", True),
    ("Where might one buy a {a}?", True),
    ("What is a box made of, and why would a {a} sleep in it?", True),
)


def corpus():
    """Returns prompts of both kinds with hard ones, things of the last third held out from training."""
    parts = {"train": [], "test": []}
    for a, b in itertools.product(THINGS, THINGS):
        for expert, templates in (("learn", GROUNDING), ("frozen", UNDERSTANDING)):
            for text, hard in templates:
                part = "test" if THINGS.index(a) >= 8 else "train"
                parts[part].append(Prompt(text=text.format(a=a, b=b), expert=expert, hard=hard))
    return {name: list({prompt.text: prompt for prompt in part}.values()) for name, part in parts.items()}


@pytest.fixture(scope="module")
def gate():
    return train_gate(corpus()["train"])


def test_the_classifier_is_right_on_prompts_it_has_not_seen(gate):
    held_out = [prompt for prompt in corpus()["test"] if not gate.has_seen(prompt.text)]
    report = measure_gate(gate, held_out)
    assert len(held_out) > 100 and report["accuracy"]["value"] >= 0.99
    assert report["misrouted_frozen"]["count"] == 0 and report["misrouted_hard"]["n"] > 50
    assert sum(sum(row.values()) for row in report["confusion"].values()) == len(held_out)
    assert 0.5 <= gate.threshold < 1


def test_a_gate_that_always_says_the_same_is_found_out():
    always = PromptGate(np.zeros(64, np.float32), 9.0)
    report = measure_gate(always, corpus()["test"])
    assert report["misrouted_frozen"]["value"] == 1.0 and report["misrouted_learn"]["value"] == 0.0
    assert len(report["examples"]) == 10


def test_unsure_and_empty_prompts_go_to_the_frozen_expert():
    for text in ("", "   "):
        decision = PromptGate(np.ones(64, np.float32), 5.0).decide(text)
        assert decision.mode == "frozen" and decision.abstained and decision.score is None
    middling = PromptGate(np.zeros(64, np.float32), 0.3, threshold=0.8).decide("Where is it?")
    assert middling.mode == "frozen" and middling.abstained and 0.2 < middling.score < 0.8
    broken = PromptGate(np.full(64, np.nan, np.float32), 0.0).decide("Where is it?")
    assert broken.mode == "frozen" and broken.abstained


@given(st.floats(-8, 8), st.floats(0.5, 0.99))
def test_the_threshold_decides(bias, threshold):
    decision = PromptGate(np.zeros(64, np.float32), bias, threshold).decide("word")
    assert (decision.mode == "learn") == (decision.score >= threshold)
    assert decision.abstained == (1 - threshold < decision.score < threshold)
    assert decision.threshold == threshold and decision.gate == "classifier" and decision.forget_free


@given(st.text(max_size=60))
def test_hashed_text_has_length_one_and_is_always_the_same(text):
    vector = hashed(text)
    assert np.array_equal(vector, hashed(text))
    assert np.isclose(np.linalg.norm(vector), 1.0) or (not vector.any() and not text.strip())


def test_training_needs_both_kinds_and_a_right_threshold():
    with pytest.raises(InputFault, match="0 for the frozen"):
        train_gate([Prompt(text=str(n), expert="learn") for n in range(5)])
    with pytest.raises(InputFault, match="threshold"):
        PromptGate(np.zeros(4, np.float32), 0.0, threshold=0.3)


def test_a_gate_travels_with_its_twin_and_decides_for_it(gate, tmp_path):
    twin = graft(zoo.made("llama"), TwinConfig(kind="lowrank", rank=2))
    twin.gate = gate
    twin.save(tmp_path / "a")
    again = attach(zoo.made("llama"), tmp_path / "a")
    for prompt in corpus()["test"][::37]:
        assert again.gate.decide(prompt.text) == gate.decide(prompt.text)
    assert again.gate.has_seen("  WHERE is the dog? ") and not again.gate.has_seen("Where is the moose?")
    seen = []
    again.on_decision.append(seen.append)
    with again.deciding("Where is the dog?") as decision:
        assert again.mode == "learn" == decision.mode
    with again.deciding("What colour is the dog?"):
        assert again.mode == "frozen"
    assert again.mode == "frozen" and [part.mode for part in seen] == ["learn", "frozen"]
    assert seen[0].twin == "default" and seen[0].score >= seen[0].threshold
    assert again.last_decision == seen[-1]
    assert json.loads(json.dumps(seen[0].as_dict()))["forget_free"] is True


def test_without_a_gate_a_prompt_is_answered_by_the_frozen_expert():
    twin = graft(zoo.made("llama"))
    with twin.deciding("Where is the dog?") as decision:
        assert twin.mode == "frozen" and decision.reason == "the twin has no gate"


def test_a_gate_on_the_frozen_models_own_embedding(tmp_path):
    model = zoo.made("llama")
    twin = graft(model, TwinConfig(rank=2))
    zoo.train(model, twin, steps=1)
    embed = prompt_embedder(model, _Letters())
    plain = embed("Where is the dog?")
    with twin.using("learn"):
        assert np.array_equal(embed("Where is the dog?"), plain)
    prompts = [Prompt(text=f"zzzz {n}", expert="learn") for n in range(30)]
    prompts += [Prompt(text=f"aaaa {n}", expert="frozen") for n in range(30)]
    twin.gate = train_gate(prompts, embed=embed, rounds=2000, decay=0.0)
    assert measure_gate(twin.gate, prompts)["accuracy"]["value"] > 0.9
    twin.save(tmp_path / "a")
    assert attach(zoo.made("llama"), tmp_path / "a").gate is None
    other = zoo.made("llama")
    again = attach(other, tmp_path / "a", embed=prompt_embedder(other, _Letters()))
    assert again.gate.decide("zzzz 7") == twin.gate.decide("zzzz 7")


def test_markers():
    gate = MarkerGate("<ground>", "[boxes]")
    assert gate.decide("the dog <ground>").mode == "learn"
    assert gate.decide("as [boxes], please").reason == "marker [boxes]"
    assert gate.decide("the ground").mode == "frozen"
    with pytest.raises(InputFault):
        MarkerGate(" ")


def test_prompts_on_disk(tmp_path):
    prompts = corpus()["test"][:5]
    write_prompts(prompts, tmp_path / "p.jsonl")
    assert read_prompts(tmp_path / "p.jsonl") == prompts
    (tmp_path / "p.jsonl").write_text('{"text": "a", "expert": "learn"}\n\n{"text": "a", "expert": "both"}\n')
    with pytest.raises(InputFault, match="Line 3"):
        read_prompts(tmp_path / "p.jsonl")
    with pytest.raises(InputFault, match="cannot be read"):
        read_prompts(tmp_path / "none.jsonl")


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_rate_lies_in_its_interval(count, of):
    part = rate(min(count, of), of)
    low, high = part["interval"]
    assert 0 <= low <= part["value"] + 1e-9 and part["value"] - 1e-9 <= high <= 1 and low < high


class _Letters:
    def __call__(self, text, **_):
        return {"input_ids": torch.tensor([[3 + ord(letter) % 80 for letter in text]], dtype=torch.long)}
