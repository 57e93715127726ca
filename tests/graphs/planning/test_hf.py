"""The planner on a Hugging Face image-text model: a tiny one with random weights, and a twin on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from deixis.errors import InputFault, PlannerFault
from deixis.graphs.planning.grounded import read_grounded
from deixis.graphs.planning.hf import hf
from deixis.learned import formats
from deixis.learned.formats.frame import PictureFrame
from tests.conformance.planner import check_planner, requests
from tests.graphs import fakes
from tests.graphs.planning.tiny_llava import write
from tests.graphs.stepwise.runs import DOG, LOOK, agent, ask


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("model"))


def saying(made: Any, *lines: Any) -> list[str]:
    """Makes the model's own tokens decode to these lines; returns the prompts that it was given."""
    prompts: list[str] = []
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    template, written = made._processor.apply_chat_template, made._written

    def template_kept(dialogue: Any, **options: Any) -> str:
        prompts.append(template(dialogue, **options))
        return str(prompts[-1])

    def written_kept(*args: Any) -> tuple[str, int]:
        _, tokens = written(*args)
        return texts[min(len(prompts), len(texts)) - 1], tokens

    made._processor.apply_chat_template = template_kept
    made._written = written_kept
    return prompts


async def test_random_model_gives_a_fault_that_counts_its_tokens(folder: Path, store: Any) -> None:
    made = hf(str(folder), most_tokens=6, retries=1)
    with pytest.raises(PlannerFault) as caught:
        await made(requests(store.add_image(fakes.picture()), None, "Where is the dog?"), store)
    assert caught.value.code.startswith("planner.reply.")
    assert caught.value.details["tokens"] > 2 * 500


async def test_step_is_read_and_the_prompt_shows_the_question(folder: Path, store: Any) -> None:
    made = hf(str(folder), most_tokens=2)
    prompts = saying(made, "hm", LOOK)
    reply = await made(requests(store.add_image(fakes.picture()), None, "Where is the dog?"), store)
    assert reply.step.calls[0].phrases == ("dog", "zebra") and reply.attempts == 2
    assert prompts[0].count("<image>") == 1 and "Where is the dog?" in prompts[0]
    assert "no whole JSON object" in prompts[1]


async def test_constrained_model_writes_nothing_but_the_schema(folder: Path, store: Any) -> None:
    pytest.importorskip("llguidance")
    made = hf(str(folder), most_tokens=12, retries=0, constrained=True)
    request = requests(store.add_image(fakes.picture()), None, "Where?")
    text, _ = made._written([("user", "Where?")], request, store)
    assert text.strip().startswith("{")
    free, _ = hf(str(folder), most_tokens=12)._written([("user", "Where?")], request, store)
    assert not free.strip().startswith("{"), "without the grammar this model writes anything"


def test_conformance_and_a_whole_run(folder: Path, store: Any, tmp_path: Path) -> None:
    made = hf(str(folder), most_tokens=2)
    saying(made, LOOK, DOG)
    image = store.add_image(fakes.picture())
    assert [step.kind for step in check_planner(made, store, image, None, "Where?")] == ["locate", "answer"]
    made = hf(str(folder), most_tokens=2)
    saying(made, LOOK, DOG)
    answer = ask(agent(tmp_path, made))
    assert answer.status == "complete" and answer.entities[0].supported


def test_twin_speaks_where_its_gate_says_so(folder: Path, tmp_path: Path) -> None:
    from deixis.learned.twin import TwinConfig, graft
    from deixis.learned.twin.loading import load_base

    base = load_base(folder)
    twin = graft(base, TwinConfig())
    adapter = twin.save(tmp_path / "twin")
    made = hf(str(folder), twin=str(adapter), most_tokens=2)
    saying(made, LOOK, DOG)
    decisions: list[str] = []
    made._twin.on_decision.append(lambda decision: decisions.append(decision.mode))
    runner = agent(tmp_path / "home", made)
    answer = ask(runner)
    assert set(decisions) == {"learn"}
    experts = {step.expert for step in runner.trace(answer.run).steps if step.index > 0}
    assert experts == {"learn"}


@pytest.mark.parametrize(
    ("name", "reply", "phrase", "box"),
    [
        ("shikra", "A dog [0.000,0.125,0.500,0.500] sleeps.", "dog", (0, 0, 80, 60)),
        ("qwen3-vl", '[{"bbox_2d": [0, 0, 500, 500], "label": "dog"}]', "dog", (0, 0, 80, 60)),
        (
            "qwen2.5-vl",
            '[{"bbox_2d": [0, 0, 40, 30], "label": "dog"}]',
            "dog",
            (0, 0, 80, 60),
        ),
    ],
)
def test_formats_become_claims(
    store: Any, name: str, reply: str, phrase: str, box: tuple[float, ...]
) -> None:
    from deixis.geometry import Size

    image = store.add_image(fakes.picture())

    def frame(ref: Any) -> PictureFrame:
        return PictureFrame(ref.size, Size(width=80, height=60))

    step = read_grounded(reply, formats.get(name), image, frame)
    assert step.kind == "answer" and phrase in step.text
    claim = next(claim for claim in step.claims if phrase in claim.phrase)
    assert claim.boxes[0].xyxy_px == pytest.approx(box, abs=2)
    inside = read_grounded(json.dumps({"kind": "find", "text": reply}), formats.get(name), image, frame)
    assert inside.kind == "find" and inside.claims


def test_planner_box_is_checked_against_the_tools(folder: Path, tmp_path: Path) -> None:
    made = hf(str(folder), most_tokens=2, format="qwen3-vl", retries=0)
    seen = {"kind": "answer", "text": 'A dog [{"bbox_2d": [62, 166, 375, 666], "label": "dog"}]'}
    saying(made, LOOK, seen)
    answer = ask(agent(tmp_path, made))
    (dog,) = answer.entities
    assert dog.supported and "own box agrees" in dog.evidence[0].note
    assert dog.regions[0].box == fakes.DOG


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "planner.hf.model"),
        ({"model": "nowhere", "side_px": 0}, "planner.hf.option"),
        ({"model": "nowhere", "space": "parsecs"}, "planner.hf.option"),
        ({"model": "nowhere", "format": "morse"}, "formats.name.unknown"),
        ({"model": "nowhere"}, "twin.base.missing"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], code: str) -> None:
    with pytest.raises(InputFault) as caught:
        hf(**options)
    assert caught.value.code == code


def test_model_without_processor_is_told(folder: Path, tmp_path: Path) -> None:
    import shutil

    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(folder / name, bare / name)
    with pytest.raises(InputFault) as caught:
        hf(str(bare))
    assert caught.value.code == "planner.hf.processor"
