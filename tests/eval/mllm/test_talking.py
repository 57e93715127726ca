"""Dialogues: batched as alone, tools run between pieces, broken writing survives, nothing is given away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deixis.answer import Score
from deixis.eval.mllm import talking
from deixis.eval.mllm.data import Ask, of_scene, of_sound
from deixis.eval.mllm.grounder import External
from deixis.eval.mllm.media import Host, Rows
from deixis.eval.mllm.talking import CALLING, CHOOSING, PLAIN, STEPPING, WRITING, Reply, Speaker, Talk
from deixis.geometry import Box
from deixis.learned.scout.sources import SampleMedia
from deixis.tools.detection.protocol import Detection, GroundResult, PhraseBoxes
from deixis.tools.toolbox import Toolbox

BOX = Box(x1=16, y1=32, x2=64, y2=80)


class Detector:
    """Sees the same box for every phrase, a second one where it looks faintly, and counts its calls."""

    name, version, weights_digest = "detection/told", "1", None
    Output = GroundResult

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def run(self, request: Any, media: Any) -> GroundResult:
        self.asked.append(request)
        one = Detection(box=BOX, score=Score(value=0.9, kind="detector"), name="dog")
        far = Detection(
            box=Box(x1=90, y1=90, x2=150, y2=150), score=Score(value=0.1, kind="detector"), name="cat"
        )
        found = (one, far) if request.threshold is not None else (one,)
        if request.everything:
            return GroundResult(everything=found)
        return GroundResult(
            phrases=tuple(
                PhraseBoxes(phrase=phrase, status="found", detections=found) for phrase in request.phrases
            )
        )


class Told:
    """A model that writes what it is told to, piece by piece, and keeps the prompts it was given."""

    def __init__(self, model: Any, tokenizer: Any, *pieces: str) -> None:
        self.config, self.model, self._real = model.config, model.model, model
        self._pieces = [tokenizer(piece, add_special_tokens=False).input_ids for piece in pieces]
        self.prompts: list[list[int]] = []

    def parameters(self) -> Any:
        return self._real.parameters()

    def generate(self, input_ids: Any, stopping_criteria: Any, **more: Any) -> Any:
        import torch

        self.prompts.append(input_ids[0].tolist())
        for token in self._pieces.pop(0):
            input_ids = torch.cat([input_ids, torch.full((len(input_ids), 1), token)], 1)
            if bool(stopping_criteria[0](input_ids, None).all()):
                break
        return type("Out", (), {"sequences": input_ids, "logits": ()})()


@pytest.fixture(scope="module")
def loaded(stored: Any) -> tuple[Any, Any]:
    from deixis.learned.mllm import load

    return load(stored[0])


@pytest.fixture(scope="module")
def asks() -> list[Ask]:
    return [*of_scene(1, 0), *of_scene(2, 1), *of_sound(1, 2)]


def speaker(loaded: Any, asks: list[Ask], *pieces: str, **more: Any) -> tuple[Speaker, Any, Detector]:
    model, processor = loaded
    media = SampleMedia(medium for ask in asks for medium in ask.media)
    detector = Detector()
    host = Host(_toolbox(detector), media)
    spoken = Told(model, processor.tokenizer, *pieces) if pieces else model
    return Speaker(spoken, processor, Rows(media), host, **more), spoken, detector


def _toolbox(detector: Detector) -> Toolbox:
    box = Toolbox({})
    box.name = lambda role: "detection/told"  # type: ignore[method-assign]
    box.roles = lambda: ("detection",)  # type: ignore[method-assign, assignment, return-value]
    box.need = lambda role: detector  # type: ignore[method-assign, assignment, return-value]
    return box


@pytest.mark.parametrize("way", [PLAIN, CALLING, CHOOSING, STEPPING, WRITING])
def test_a_batch_is_written_as_each_alone(
    loaded: Any, asks: list[Ask], way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talking, "MOST_NEW", 8)
    some = asks[::5]
    together = speaker(loaded, some)[0].replies(some, way)
    alone = speaker(loaded, some, batch=1)[0].replies(some, way)
    for one, other in zip(together, alone, strict=True):
        assert (one.text, one.spans, one.steps, one.tokens) == (
            other.text,
            other.spans,
            other.steps,
            other.tokens,
        )
    assert all(one.tokens for one in together)


def test_a_cache_changes_nothing(loaded: Any, asks: list[Ask]) -> None:
    import torch

    model, _ = loaded
    talker, _, _ = speaker(loaded, asks)
    reply = talker.replies(asks[:1], PLAIN, logits=True)[0]
    given = talker._inputs([talker._begun(asks[0], PLAIN)])
    with torch.no_grad():
        first = model(**given, use_cache=False).logits[0, -1]
    torch.testing.assert_close(reply.first[0], first, atol=1e-4, rtol=1e-4)


def test_calls_are_run_and_their_boxes_can_be_chosen(loaded: Any, asks: list[Ask]) -> None:
    own = [next(ask for ask in asks if ask.group == "unique")]
    talker, model, detector = speaker(
        loaded,
        own,
        "<|step_locate|><|call|><|detection|> dog; cat <|end_call|>",
        "#1 is a <|ref|> dog <|end_ref|> #1 . <|end|>"
        " <|step_answer|> the <|ref|> dog <|end_ref|> #1 . <|end|> x",
    )
    reply = talker.replies(own, CALLING)[0]
    assert detector.asked[0].phrases == ("dog", "cat")
    assert detector.asked[0].threshold is None
    assert reply.whole
    assert reply.text == "The dog."
    assert reply.spans[0].boxes == (BOX,)
    assert [step.kind for step in reply.steps] == ["locate", "answer"]
    assert reply.steps[0].observations[0].status == "ok"
    assert len(reply.offered) == 2
    # What was written stays as it was, and the observation stands behind it.
    assert model.prompts[1][: len(model.prompts[0])] == model.prompts[0]


def test_a_call_made_again_looks_more_faintly(loaded: Any, asks: list[Ask]) -> None:
    own = [next(ask for ask in asks if ask.group == "unique")]
    call = "<|call|><|detection|> dog <|end_call|>"
    pieces = (f"<|step_locate|>{call}", f"i look again . <|end|> <|step_locate|>{call}", "<|end|> <|eos|>")
    talker, _, detector = speaker(loaded, own, *pieces)
    talker.replies(own, CALLING)
    assert [request.threshold for request in detector.asked] == [None, 0.15]


def test_proposals_are_offered_before_a_word_is_written(loaded: Any, asks: list[Ask]) -> None:
    own = [next(ask for ask in asks if ask.group == "unique")]
    talker, model, detector = speaker(
        loaded, own, "#2 . <|end|> <|step_answer|> the <|ref|> cat <|end_ref|> #2 <|end|>"
    )
    reply = talker.replies(own, STEPPING)[0]
    assert detector.asked[0].everything
    assert detector.asked[0].top == 10
    assert reply.spans[0].boxes[0].x1 == 90
    number = talker.tokenizer.convert_tokens_to_ids
    assert model.prompts[0].count(number("<|object|>")) == 2


def test_proposals_are_offered_behind_the_question_where_the_answer_comes_at_once(
    loaded: Any, asks: list[Ask]
) -> None:
    own = [next(ask for ask in asks if ask.group == "unique")]
    talker, model, detector = speaker(loaded, own, "the <|ref|> cat <|end_ref|> #2 <|end|>")
    reply = talker.replies(own, CHOOSING)[0]
    assert len(detector.asked) == 1
    assert detector.asked[0].everything
    assert reply.spans[0].boxes[0].x1 == 90
    assert len(reply.steps) == 1
    tokens = talker.tokenizer.convert_ids_to_tokens(model.prompts[0])
    assert tokens.count("<|object|>") == 2
    assert tokens[-2:] == ["<|end_observe|>", "<|step_answer|>"]


def test_writing_sees_no_tool_and_no_answer(loaded: Any, asks: list[Ask]) -> None:
    own = [next(ask for ask in asks if ask.group == "unique")]
    talker, model, detector = speaker(
        loaded, own, "the <|ref|> dog <|end_ref|> <x1_8><y1_16><x2_32><y2_40> <|end|>"
    )
    reply = talker.replies(own, WRITING)[0]
    assert reply.spans[0].boxes == (BOX,)
    assert not detector.asked
    tokens = talker.tokenizer.convert_ids_to_tokens(model.prompts[0])
    assert tokens[-1] == "<|step_answer|>"
    assert not {"<|observe|>", "<|object|>"} & set(tokens)
    assert not any(token.startswith("<x1_") for token in tokens)


@pytest.mark.parametrize(
    ("piece", "whole"),
    [
        ("dog dog dog", False),
        ("<|end|>", True),
        ("<|step_answer|> a <|ref|> dog", False),
        ("<|step_answer|> <|ref|> dog <|end_ref|> #9 <x1_3> <|end|>", True),
        ("<|step_find|> <|call|> <|end_call|>", False),
        ("<|eos|>", False),
        ("<|step_answer|> <|observe|> <|picture|> <|object|> <|end|>", True),
    ],
)
def test_broken_writing_is_read_as_far_as_it_goes(
    loaded: Any, asks: list[Ask], piece: str, whole: bool
) -> None:
    own = [next(ask for ask in asks if ask.group == "unique")]
    talker, _, _ = speaker(loaded, own, *[piece] * 9)
    reply = talker.replies(own, CALLING)[0]
    assert reply.whole is whole
    assert not [box for span in reply.spans for box in span.boxes]
    assert reply.diagnostics


def test_a_model_that_calls_for_ever_is_stopped(loaded: Any, asks: list[Ask]) -> None:
    own = [next(ask for ask in asks if ask.group == "unique")]
    talker, model, _ = speaker(loaded, own, *["<|step_find|><|call|><|detection|> dog <|end_call|>"] * 20)
    reply = talker.replies(own, CALLING)[0]
    assert len(model.prompts) == 8
    assert not reply.whole
    assert reply.text == ""


def test_tools_that_are_not_there_are_faults(asks: list[Ask]) -> None:
    from deixis.trace import Action

    host = Host(Toolbox({}), SampleMedia(medium for ask in asks for medium in ask.media))
    for role, asked in (("detection", {"phrases": ["dog"]}), ("matching", {}), ("segmentation", {})):
        seen = host.run(Action(call="1", role=role, tool="", input=asked), asks[0].media, ())  # type: ignore[arg-type]
        assert (seen.status, seen.output) == ("fault", None)


class Mute:
    key = "mute"

    def replies(self, asks: Any, way: Any, told: Any, logits: bool = False) -> list[Reply]:
        return [Reply("a dog and two cats", whole=True) for _ in asks]


def test_the_external_grounder_points_and_the_base_speaks(asks: list[Ask]) -> None:
    media = SampleMedia(medium for ask in asks for medium in ask.media)
    detector = Detector()
    external = External(Host(_toolbox(detector), media), Mute())
    picture = next(ask for ask in asks if ask.group == "unique")
    asked = [replace(picture, question="Find the dog left of the cat."), replace(picture, group="caption")]
    pointed, told = external.replies(asked, CALLING)
    assert pointed.spans[0].boxes == (BOX,)
    assert pointed.text == "The dog is here."
    assert detector.asked[0].phrases == ("dog", "cat")
    assert told.text == "a dog and two cats"
    assert {span.phrase for span in told.spans} == {"dog", "cat"}


def test_a_talk_without_an_answer_says_nothing(asks: list[Ask]) -> None:
    from deixis.learned.mllm.observing import Scene

    assert Talk(asks[0], [], [], Scene(asks[0].media)).reply() == Reply()
