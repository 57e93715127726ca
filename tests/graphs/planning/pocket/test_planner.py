"""The planner with a tiny model of random weights and a twin on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("llguidance")

from deixis.errors import PlannerFault
from deixis.geometry import Box
from deixis.graphs.planning.pocket import planner as planners
from deixis.graphs.planning.pocket.another import another, misjudged, once
from deixis.graphs.planning.pocket.bench import ALIKE, measured, runs, summary
from deixis.graphs.planning.pocket.grammar import Allowed, Grammar, Held
from deixis.graphs.planning.pocket.planner import PocketPlanner
from deixis.graphs.planning.pocket.weights import Opened
from deixis.graphs.planning.pocket.writing import Pen, Written
from deixis.graphs.planning.protocol import BOTH, CALLED, STANDS, VERDICT, Medium, NextStep, PlanRequest
from deixis.learned.mllm.dialogue import prompt
from deixis.learned.mllm.tokens import PROPOSALS
from deixis.trace import Span, Step
from tests.conformance.planner import check_planner
from tests.graphs import fakes
from tests.graphs.planning.pocket.test_grammar import PICTURE
from tests.graphs.stepwise.runs import agent, ask, whole


@pytest.fixture(scope="module")
def given() -> Opened:
    import torch

    from deixis.learned.mllm import new_model
    from deixis.learned.twin import TwinConfig, graft

    torch.set_num_threads(1)
    model, processor = new_model("tiny", both_ways=False)
    twin = graft(model, TwinConfig(kind="lowrank", rank=2, layers="all"))
    with torch.no_grad():
        noise = torch.Generator().manual_seed(1)
        for value in twin.parameters():
            value.add_(torch.randn(value.shape, generator=noise))
    twin.eval()
    return Opened(model, processor, twin, "tiny")


class Saying(Pen):
    """A pen that writes given words instead of the model's, through the same decoder and grammar."""

    def __init__(self, given: Opened, *lines: str) -> None:
        super().__init__(given)
        self._lines = list(lines)
        self._tokenizer = given.tokenizer
        self.openings: list[list[str]] = []

    def write(self, dialogue: Any, held: Held, opening: Sequence[int] = ()) -> Written:
        ids = self._tokenizer(self._lines.pop(0), add_special_tokens=False).input_ids
        done = [held.take(token) for token in ids]
        assert done[-1]
        self.put(dialogue, ids[:-1])
        self.openings.append(self._tokenizer.convert_ids_to_tokens(opening))
        zebra, dog = self._tokenizer.convert_tokens_to_ids(["zebra", "dog"])
        return Written(ids, 0.0, [(dog, float(token != zebra)) for token in ids])


LOOK = "<|step_locate|><|call|><|detection|>dog; zebra<|end_call|>"
SEEN = "#1 is a <|ref|>dog<|end_ref|>#1. no <|ref|>zebra<|end_ref|>.<|end|>"
DOG = "<|step_answer|>the <|ref|>dog<|end_ref|>#1 is on the left.<|end|>"


def saying(given: Opened, *lines: str) -> PocketPlanner:
    made = PocketPlanner(given)
    made.pen = Saying(given, *lines)
    return made


def test_a_run_points_at_what_the_tools_gave(given: Opened, tmp_path: Path) -> None:
    made = saying(given, LOOK, SEEN, DOG)
    runner = agent(tmp_path, made)
    answer = ask(runner)
    assert answer.text == "The dog is on the left." and answer.status == "complete"
    (dog,) = answer.entities
    assert dog.supported and dog.regions[0].box == fakes.DOG
    steps = [step for step in runner.trace(answer.run).steps if step.index > 0]
    assert steps[0].text == "#1 is a dog. No zebra." and {step.expert for step in steps} == {"learn"}
    assert [(span.phrase, len(span.boxes)) for span in steps[0].spans] == [("dog", 1), ("zebra", 0)]
    # Nothing that was read or written before was read again: every token went through the decoder once.
    (dialogue,) = made.pen._dialogues
    assert made.pen.read + made.pen.put_down == len(dialogue.keys) - 1
    whole(answer)


def test_what_the_frozen_expert_said_is_looked_at_by_the_twin(given: Opened, tmp_path: Path) -> None:
    made = saying(given, "yes<|end|>", LOOK, SEEN, DOG)
    made._gate = SimpleNamespace(
        decide=lambda question: SimpleNamespace(
            mode="frozen", abstained=False, score=0.1, score_kind="probability", reason=""
        )
    )
    runner = agent(tmp_path, made)
    answer = ask(runner)
    assert answer.text == "The dog is on the left." and answer.entities[0].supported
    steps = [step for step in runner.trace(answer.run).steps if step.index > 0]
    assert [step.expert for step in steps][:3] == ["frozen", "frozen", "learn"]


def test_answer_that_did_not_stand_is_begun_in_another_way(given: Opened, tmp_path: Path) -> None:
    bad = "<|step_answer|>the <|ref|>zebra<|end_ref|>#1 is on the left.<|end|>"
    made = saying(given, LOOK, SEEN, bad, bad, DOG)
    answer = ask(agent(tmp_path, made))
    assert answer.text == "The dog is on the left." and answer.entities[0].supported
    assert made.pen.openings == [[]] * 4 + [["<|step_answer|>", "the", "<|ref|>", "dog"]]


def test_an_answer_that_did_not_stand_is_not_given_again(given: Opened, tmp_path: Path) -> None:
    bad = "<|step_answer|>the <|ref|>zebra<|end_ref|>#1 is on the left.<|end|>"
    answer = ask(agent(tmp_path, saying(given, LOOK, SEEN, bad, bad, bad)))
    assert answer.status == "degraded" and "rules answered instead" in answer.text
    assert answer.problems[0].code == "planner.pocket.repeats"
    assert "zebra" not in answer.text


def test_an_answer_that_is_held_against_boxes_in_vain_is_given_up(given: Opened, tmp_path: Path) -> None:
    """Sent back for a side that is not the thing's, the model says the same in other words."""
    looked = "<|step_locate|><|call|><|detection|>dog; cat<|end_call|>"
    seen = "#1 is a <|ref|>dog<|end_ref|>#1 and #2 is a <|ref|>cat<|end_ref|>#2.<|end|>"
    side = "<|ref|>dog<|end_ref|>#1 is {} of the <|ref|>cat<|end_ref|>#2.<|end|>"
    wrong, again = (f"<|step_answer|>{begin}the {side.format('right')}" for begin in ("", "it is "))
    answer = ask(agent(tmp_path / "vain", saying(given, looked, seen, wrong, wrong, again)))
    assert answer.status == "degraded" and answer.problems[0].code == "planner.pocket.repeats"
    assert "right of" not in answer.text
    right = f"<|step_answer|>the {side.format('left')}"
    answer = ask(agent(tmp_path / "mended", saying(given, looked, seen, wrong, wrong, right)))
    assert answer.text == "The dog is left of the cat." and answer.status != "degraded"


def test_one_thing_is_not_named_twice(given: Opened, tmp_path: Path) -> None:
    twice = "<|step_answer|>a <|ref|>zebra<|end_ref|>#1 and a <|ref|>zebra<|end_ref|>#1.<|end|>"
    made = saying(given, LOOK, SEEN, twice, DOG)
    assert ask(agent(tmp_path / "once", made)).text == "The dog is on the left."
    assert made.pen.openings[-1] == ["<|step_answer|>", "a", "<|ref|>", "dog"]
    answer = ask(agent(tmp_path / "again", saying(given, LOOK, SEEN, twice, twice)))
    assert answer.status == "degraded" and "rules answered instead" in answer.text
    assert answer.problems[0].code == "planner.pocket.repeats"


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("a <|ref|>dog<|end_ref|>#1 and a <|ref|>dog<|end_ref|>#2.<|end|>", False),
        ("a <|ref|>dog<|end_ref|>#1 and a <|ref|>cat<|end_ref|>#1.<|end|>", True),
        ("no <|ref|>dog<|end_ref|> and no <|ref|>dog<|end_ref|>.<|end|>", False),
        ("the <|ref|>dog<|end_ref|>#1 left of the <|ref|>dog<|end_ref|>#1.<|end|>", True),
    ],
)
def test_words_that_begin_anew(given: Opened, words: str, begins: bool) -> None:
    ids = given.tokenizer(words, add_special_tokens=False).input_ids
    assert bool(once(Written(ids, 0.0, [(7, 0.5)] * len(ids)), given.tokenizer)) is begins


def test_word_that_is_exchanged_is_the_least_sure_one_that_is_blamed(given: Opened) -> None:
    words = "<|step_answer|>yes. the <|ref|>dog<|end_ref|>#1 and the <|ref|>cat<|end_ref|>#2.<|end|>"
    ids = given.tokenizer(words, add_special_tokens=False).input_ids
    tokens = given.tokenizer.convert_ids_to_tokens(ids)
    gaps = {"yes": 0.5, "dog": 0.2, "cat": 0.4, "#2": 0.9, "the": 0.0}

    def exchanged(complaint: str, **other: float) -> str:
        known = {**gaps, **other}
        made = Written(ids, 0.0, [(7, known.get(token, 0.1)) for token in tokens])
        opening = another(made, complaint, given.tokenizer)
        if not opening:
            return ""
        assert opening[:-1] == ids[: len(opening) - 1]
        return str(tokens[len(opening) - 1])

    named = f"it does not stand: 'cat' {CALLED} 'sheep'"
    number = given.tokenizer.convert_ids_to_tokens(ids)[-3]
    assert number in PROPOSALS
    assert exchanged(named) == "cat" and exchanged(named, yes=0.1) == "yes"
    assert exchanged(named, **{number: 0.1}) == number
    assert exchanged(named.replace("'cat'", '"cat"')) == "cat"
    assert exchanged(f"'cat' {STANDS} left of 'dog'") == "cat"
    assert exchanged(f"{named}; ~1 is made by nothing {VERDICT}") == "yes"
    assert exchanged(f"'cat' {BOTH}") == "yes"
    assert exchanged("~1 is said to be unmatched: call match first") == ""
    assert exchanged("'cat' is named, but points at nothing") == ""
    assert another(Written(ids, 0.0, [(-1, 0.0)] * len(ids)), named, given.tokenizer) == []
    assert another(Written(ids[1:], 0.0, [(7, 0.1)] * len(ids)), named, given.tokenizer) == []


@pytest.mark.parametrize(
    ("words", "sure_of", "anew"),
    [
        ("<|ref|>#1<|end_ref|>#1 is left of the <|ref|>owl<|end_ref|>#3.", "", ""),
        ("<|ref|>#1<|end_ref|>#1 is right of the <|ref|>owl<|end_ref|>#3.", "", "right"),
        ("<|ref|>#1<|end_ref|>#1 is above the <|ref|>owl<|end_ref|>#3.", "", ""),
        ("<|ref|>#1<|end_ref|>#1 is below the <|ref|>owl<|end_ref|>#3.", "", "below"),
        (
            "<|ref|>#1<|end_ref|>#1 is right of the <|ref|>owl<|end_ref|>#3, "
            "<|ref|>#2<|end_ref|>#2 is left of the owl.",
            "right",
            "left",
        ),
        ("<|ref|>#1<|end_ref|>#1 is near the <|ref|>owl<|end_ref|>#3.", "", ""),
        ("<|ref|>#1<|end_ref|>#1 is right of the owl.", "", ""),
    ],
    ids=["true", "false", "true as well", "false as well", "the less sure", "no side", "no other box"],
)
def test_a_comparison_that_its_boxes_contradict_begins_anew(
    given: Opened, words: str, sure_of: str, anew: str
) -> None:
    ids = given.tokenizer(words + "<|end|>", add_special_tokens=False).input_ids
    tokens = given.tokenizer.convert_ids_to_tokens(ids)
    made = Written(ids, 0.0, [(7, 0.9 if token == sure_of else 0.5) for token in tokens])
    # 1 is on the left and above, 2 on the right, 3 in the middle.
    boxes = {"#1": (0, 0, 10, 10), "#2": (80, 40, 90, 50), "#3": (40, 40, 60, 60), "owl": (40, 40, 60, 60)}
    spans = [
        Span(start=0, end=1, phrase=phrase, boxes=(Box.of(boxes[phrase]),))
        for phrase in re.findall(r"<\|ref\|>(\S+)<", words)
    ]
    step = Step.model_construct(kind="relate", text="", spans=tuple(spans))
    opening = misjudged(made, step, (), given.tokenizer)
    assert opening == ([*ids[: tokens.index(anew)], 7] if anew else [])
    assert misjudged(made, Step.model_construct(kind="answer", spans=tuple(spans)), (), given.tokenizer) == []


@pytest.mark.parametrize(
    ("chosen", "side", "others", "begins"),
    [
        ("#1", "left of", ("#1",), []),
        ("#1", "right of", ("#1",), ["<|step_answer|>", "there", "is", "no"]),
        ("#1", "right of", ("#1", "#2"), ["<|step_select|>", "dog"]),
        ("#1", "below", ("#1", "#2"), ["<|step_answer|>", "there", "is", "no"]),
        ("#1", "near", ("#1",), []),
    ],
    ids=["right", "none is", "another is", "neither is", "no side"],
)
def test_a_choice_that_its_box_contradicts_begins_anew(
    given: Opened, chosen: str, side: str, others: Sequence[str], begins: Sequence[str]
) -> None:
    phrase = f"dog {side} the owl"
    words = f"<|step_select|>{chosen} is the <|ref|>{phrase}<|end_ref|>{chosen}.<|end|>"
    ids = given.tokenizer(words, add_special_tokens=False).input_ids
    dog = given.tokenizer.convert_tokens_to_ids("dog")
    made = Written(ids, 0.0, [(dog, 0.5)] * len(ids))
    # 1 is on the left and above, 2 on the right and above, the owl in the middle.
    boxes = {"#1": (0, 0, 10, 10), "#2": (80, 20, 90, 30), "owl": (40, 40, 60, 60)}

    def step(kind: str, *phrases: tuple[str, str]) -> Step:
        spans = [Span(start=0, end=1, phrase=said, boxes=(Box.of(boxes[name]),)) for said, name in phrases]
        return Step.model_construct(kind=kind, text="", spans=tuple(spans))

    compared = step("relate", *((name, name) for name in others), ("owl", "owl"))
    taken = step("select", (phrase, chosen))
    opening = misjudged(made, taken, (compared,), given.tokenizer)
    assert given.tokenizer.convert_ids_to_tokens(opening) == begins
    assert misjudged(made, taken, (step("find"),), given.tokenizer) == [], "nothing was compared"


def test_an_opening_stands_as_if_it_had_been_written(given: Opened, store: Any) -> None:
    import torch

    image = store.add_image(fakes.picture())
    medium = PICTURE.model_copy(update={"digest": image.digest, "width": 160, "height": 120})
    asked = prompt("where is the dog?", (), (medium,), given.tokenizer, "proposals")
    grammar, may = Grammar(given.tokenizer), Allowed(("detection",), 0, 1, 0)
    opening = given.tokenizer("<|step_answer|>there is none.<|end|>", add_special_tokens=False).input_ids
    pen, other = Pen(given), Pen(given)
    written = pen.begin(asked, (medium,), store, "learn")
    made = pen.write(written, grammar.held("step", may), opening)
    assert made.ids == opening and len(made.others) == len(opening)
    put = other.begin(asked, (medium,), store, "learn")
    other.put(put, opening[:-1])
    assert torch.equal(written.last, put.last), "what is given is read as if it had been written"


def test_random_weights_end_in_the_pipelines_answer(given: Opened, tmp_path: Path) -> None:
    answer = ask(agent(tmp_path, PocketPlanner(given)))
    assert answer.status == "degraded" and "rules answered instead" in answer.text
    assert [one.code.startswith("planner.pocket.") for one in answer.problems] == [True]
    assert any(entity.label == "dog" for entity in answer.entities)
    whole(answer)


@pytest.mark.parametrize("expert", ["learn", "frozen"])
def test_each_expert_has_a_cache_of_its_own(given: Opened, store: Any, expert: Any) -> None:
    import torch

    image = store.add_image(fakes.picture())
    medium = PICTURE.model_copy(update={"digest": image.digest, "width": 160, "height": 120})
    first = prompt("where is the dog?", (), (medium,), given.tokenizer, "proposals")
    step = Step(index=0, kind="select", text="It is here.")
    longer = prompt("where is the dog?", (step,), (medium,), given.tokenizer, "proposals")
    other: Any = "frozen" if expert == "learn" else "learn"
    pen, fresh = Pen(given), Pen(given)
    pen.begin(first, (medium,), store, other)
    pen.begin(first, (medium,), store, expert)
    read = pen.read
    kept = pen.begin(longer, (medium,), store, expert)
    assert pen.read - read == len(longer) - len(first), "only what is new is read"
    new = fresh.begin(longer, (medium,), store, expert)
    assert torch.allclose(kept.last, new.last, atol=1e-4)
    foreign = Pen(given).begin(longer, (medium,), store, other)
    assert not torch.allclose(foreign.last, new.last, atol=1e-4), "the experts do not say the same"
    back = pen.begin(first, (medium,), store, expert)  # a run that was taken back: the cache is cut
    assert torch.allclose(back.last, Pen(given).begin(first, (medium,), store, expert).last, atol=1e-4)


async def test_gate_decides_and_frozen_answers_in_words(given: Opened, store: Any) -> None:
    from deixis.learned.twin.gates.marker import MarkerGate

    made = PocketPlanner(given, gate=MarkerGate("Where is"))
    assert (await made.gate("Where is the dog?")).expert == "learn"
    assert (await made.gate("What is this?")).expert == "frozen"
    made.pen = Saying(given, "a quiet meadow.<|end|>")
    media = (Medium(number=1, ref=store.add_image(fakes.picture())),)
    request = PlanRequest(question="What is this?", media=media, can=("ground",), expert="frozen")
    reply = await made(request, store)
    assert (reply.step.kind, reply.step.text, reply.expert) == ("answer", "A quiet meadow.", "frozen")
    named = PocketPlanner(given, expert="frozen")  # the twin switched off plans as well
    assert (await named.gate("What is this?")).expert == "frozen"
    named.pen = Saying(given, LOOK)
    assert (await named(request, store)).step.calls[0].phrases == ("dog", "zebra")


async def test_steps_without_their_trace_are_refused(given: Opened, store: Any) -> None:
    from deixis.graphs.planning.protocol import PastStep

    request = PlanRequest(question="Where?", steps=(PastStep(index=1, kind="find", text="I look."),))
    with pytest.raises(PlannerFault) as caught:
        await PocketPlanner(given)(request, store)
    assert caught.value.code == "planner.pocket.trace"


def test_conformance(given: Opened, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planners, "SURE", float("-inf"))
    image = store.add_image(fakes.picture())
    for step in check_planner(PocketPlanner(given), store, image, None, "Where is the dog?"):
        assert isinstance(step, NextStep)


def test_several_pictures_are_looked_at_one_after_the_other(given: Opened, tmp_path: Path) -> None:
    import numpy as np

    gone = "<|step_answer|>there is no <|ref|>dog<|end_ref|>.<|end|>"
    other = np.full((100, 90, 3), 200, np.uint8)

    def detection(request: Any) -> Any:
        if request.image.size.width == 160:
            return fakes.detection(request)
        return fakes.detection(request.model_copy(update={"phrases": ("zebra",) * len(request.phrases)}))

    tools = fakes.tools(detection=detection)
    made = saying(given, LOOK, "no <|ref|>dog<|end_ref|>.<|end|>", gone, LOOK, SEEN, DOG)
    answer = agent(tmp_path, made, tools).ask("Where is the dog?", image=[other, fakes.picture()])
    assert answer.text == "The dog is on the left. That is picture 2.", answer.problems
    assert not answer.not_found
    (dog,) = answer.entities
    assert dog.supported and dog.regions[0].media == answer.media[1].digest
    made = saying(given, LOOK, SEEN, DOG, LOOK, "no <|ref|>dog<|end_ref|>.<|end|>", gone)
    answer = agent(tmp_path, made, tools).ask("Where is the dog?", image=[fakes.picture(), other])
    assert answer.text == "The dog is on the left. That is picture 1."
    assert answer.entities[0].supported and answer.entities[0].regions[0].media == answer.media[0].digest


def test_cache_reads_each_token_once(given: Opened) -> None:
    (sample,) = runs(1)
    row = measured(given, sample, "learn")
    assert row["decoded_kept"] <= 1.2 * row["final_length"] < row["decoded_naive"]
    assert row["largest_difference_of_a_logit"] <= ALIKE
    told = summary([row], "tiny")
    assert told["same"] and told["kept"]["tokens_over_final_length"] <= told["bar"]


def test_marks_of_a_step_are_those_that_the_planner_set(given: Opened) -> None:
    step = Step(index=0, kind="relate", text="#1 is red.", spans=(Span(start=0, end=2, phrase="#1"),))
    plain = step.model_copy(update={"spans": ()})
    one, other = (prompt("which?", (it,), (PICTURE,), given.tokenizer, "proposals") for it in (step, plain))
    assert one.input_ids != other.input_ids
