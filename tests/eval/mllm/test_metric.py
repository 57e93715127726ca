"""Every figure by hand-made predictions: perfect ones, wrong ones, and broken ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from deixis.eval.mllm import metric, retention, wording
from deixis.eval.mllm.data import Ask, of_scene, of_sound, questions, wording_shared
from deixis.eval.mllm.talking import Reply
from deixis.geometry import Box
from deixis.learned.scout.proposals import Proposal
from deixis.trace import Span

MEANT = Box(x1=10, y1=10, x2=50, y2=50)
OTHER = Box(x1=90, y1=90, x2=120, y2=130)


def reply(text: str, *pointed: tuple[str, Box], **more: Any) -> Reply:
    spans = tuple(Span(start=0, end=len(name), phrase=name, boxes=(box,)) for name, box in pointed)
    return Reply(text, spans, **{"whole": True, **more})


def by_name(measures: list[Any]) -> dict[str, Any]:
    return {one.name: one for one in measures}


def test_rec_counts_what_cannot_be_read_as_wrong_and_apart() -> None:
    unique = Ask("unique", "Find the dog.", (), box=MEANT)
    related = replace(unique, group="relation")
    near = Box(x1=10, y1=10, x2=50, y2=31)  # IoU .525
    far = Box(x1=10, y1=10, x2=50, y2=29)  # IoU .475
    said = [
        (unique, reply("The dog is here.", ("dog", near))),
        (unique, reply("The dog is here.", ("dog", far))),
        (unique, reply("", whole=False, diagnostics=("region.broken: <x1_3>",))),
        (unique, reply("The dog.", ("dog", OTHER), ("dog", MEANT))),
        (related, reply("The dog left of the cat.", ("dog", MEANT), ("cat", OTHER))),
    ]
    found = by_name(metric.rec(said, "REC"))
    assert (found["REC, unique"].value, found["REC, unique"].n) == (0.25, 4)
    assert (found["REC, relation"].value, found["REC, relation"].n) == (1.0, 1)
    assert (found["REC, several"].value, found["REC, several"].n) == (0.0, 0)
    assert found["REC, no box to be read"].value == pytest.approx(0.2)
    assert found["REC, no box to be read"].better == "lower"
    assert found["REC, unique"].low < 0.25 < found["REC, unique"].high


def test_the_ceiling_is_what_was_on_offer() -> None:
    ask = Ask("unique", "Find the dog.", (), box=MEANT)
    one = Proposal(1, "dog", OTHER, 0.9)
    said = [(ask, reply("", offered=(one,))), (ask, reply("", offered=(one, Proposal(2, "dog", MEANT, 0.2))))]
    assert by_name(metric.offered(said, "REC"))["REC, unique: it is among them"].value == 0.5


def test_refusing_is_an_answer_without_a_box() -> None:
    ask = Ask("absent", "Find the lion.", ())
    said = [
        (ask, reply("There is no lion.")),
        (ask, reply("The lion is here.", ("lion", OTHER))),
        (ask, reply("", whole=True)),
        (ask, reply("There is no", whole=False)),
    ]
    assert metric.refusals(said)[0].value == 0.25


def presence(*answers: tuple[bool, str]) -> dict[str, Any]:
    return by_name(
        metric.presence(
            [
                (
                    Ask("yes" if truth else "no", "?", (), "yes" if truth else "no", place=place // 2),
                    reply(text),
                )
                for place, (truth, text) in enumerate(answers)
            ]
        )
    )


def test_yes_and_no() -> None:
    found = presence(
        (True, "Yes, there is a dog."), (False, "No, I see no cat."),
        (True, "No, there is no dog."), (False, "There is no cat."),
    )  # fmt: skip
    assert found["yes/no accuracy"].value == 0.75
    assert found["yes/no yes-rate"].value == 0.25
    assert found["yes/no yes-rate, distance from .5"].value == 0.25
    assert found["yes/no F1"].value == pytest.approx(2 / 3)
    assert found["yes/no, not to be read"].value == 0.0


def test_broken_answers_are_never_right_by_luck() -> None:
    found = presence((True, ""), (False, ""), (True, "<|x|> dog dog"), (False, "the the the"))
    assert found["yes/no accuracy"].value == 0.0
    assert found["yes/no F1"].value == 0.0
    assert found["yes/no yes-rate"].value == 0.0
    assert found["yes/no, not to be read"].value == 1.0


def test_always_yes_is_half_right_and_seen_by_its_rate() -> None:
    found = presence((True, "yes"), (False, "yes"), (True, "Yes."), (False, "Yes, there is."))
    assert found["yes/no accuracy"].value == 0.5
    assert found["yes/no yes-rate, distance from .5"].value == 0.5


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Yes.", True), ("yes there is no doubt", True), ("No.", False), ("I see no dog.", False),
        ("The answer is yes.", True), ("Nothing is there.", False), ("a dog", None), ("", None),
        ("yesterday", None), ("North of it", None),
    ],
)  # fmt: skip
def test_reading_yes_and_no(text: str, read: bool | None) -> None:
    assert wording.yes_or_no(text) is read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("There are two dogs.", 2), ("three", 3), ("7", 7), ("There is no lion.", 0), ("None.", 0),
        ("I see ten.", 10), ("many", None), ("", None), ("99999", None),
    ],
)  # fmt: skip
def test_reading_numbers(text: str, read: int | None) -> None:
    assert wording.number(text) == read


def test_reading_terms() -> None:
    assert wording.all_of("Two dogs, an alarm clock and a puppy.", "things") == ["dog", "clock"]
    assert wording.first_of("in the top left, not the right", "places") == "top left"
    assert wording.all_of("I hear crying and a bark.", "sounds") == ["cry", "bark"]
    assert wording.first_of("hotdogs", "things") is None


def test_counts_and_colours() -> None:
    count, colour = Ask("count", "?", (), "2"), Ask("attribute", "?", (), "red")
    assert metric.counting([(count, reply("There are two dogs.")), (count, reply("#"))])[0].value == 0.5
    said = [(colour, reply("The car is red.")), (colour, reply("blue, not red")), (colour, reply(""))]
    assert metric.attributes(said)[0].value == pytest.approx(1 / 3)


def test_grounded_captions() -> None:
    things = (("dog", MEANT), ("dog", OTHER), ("cat", Box(x1=0, y1=100, x2=20, y2=140)))
    ask = Ask("caption", "Describe.", (), text="There are two dogs and a cat.", things=things)
    right = reply(
        ask.text, ("two dogs", MEANT), ("dogs", OTHER), ("cat", things[2][1]), ("dog", MEANT), ("cat", OTHER)
    )
    # The dog told twice is one dog, and a cat is not where a dog is.
    assert metric.boxes_found(ask, right) == (3, 5, 3)
    found = by_name(metric.captions([(ask, right)]))
    assert found["caption, ROUGE-L"].value == 1.0
    assert found["caption, F1 of kinds"].value == 1.0
    assert found["grounded caption, F1 of boxes"].value == pytest.approx(6 / 8)
    assert found["grounded caption, recall of boxes"].value == 1.0
    silent = by_name(metric.captions([(ask, reply("", whole=False))]))
    assert {one.value for one in silent.values()} == {0.0}


def test_rouge_l_is_the_longest_common_subsequence() -> None:
    assert metric.rouge_l("police killed the gunman", "police kill the gunman") == pytest.approx(0.75)
    assert metric.rouge_l("police killed the gunman", "the gunman kill police") == pytest.approx(0.5)
    assert metric.rouge_l("a", "") == 0.0


def test_what_is_heard() -> None:
    ask, quiet = Ask("heard", "?", (), "bark, rain"), Ask("heard", "?", (), "nothing")
    found = by_name(
        metric.heard(
            [(ask, reply("I hear a bark and rain.")), (ask, reply("a bark")), (quiet, reply("Nothing.")),
             (quiet, reply(""))]
        )
    )  # fmt: skip
    assert found["heard, exactly"].value == 0.5
    assert found["heard, F1 of sounds"].value == pytest.approx(6 / 7)


def test_right_answers_of_the_world_are_right() -> None:
    asks = [ask for seed in range(12) for ask in of_scene(seed, seed)] + [*of_sound(3, 50)]
    said = [(ask, reply(ask.text, *([("it", ask.box)] if ask.box else ()))) for ask in asks]
    for measure in metric.rec(said, "REC")[:3]:
        assert measure.value == 1.0
    found = by_name([one for part in metric.PARTS for one in part(said)])
    for name in ("yes/no accuracy", "counting, exact", "attributes, colour", "heard, exactly"):
        assert found[name].value == 1.0, name
    assert found["yes/no yes-rate"].value == 0.5


def test_questions_are_a_pure_function_and_of_test_seeds(asked: Any) -> None:
    from deixis.learned.scout.sources import world_seed
    from deixis.learned.world.scenes import TEST_SEEDS

    again = questions(4)
    assert again.grounding == asked.grounding
    assert again.understanding == asked.understanding
    for ask in (*asked.grounding, *asked.understanding):
        assert all(world_seed(medium.source) in TEST_SEEDS for medium in ask.media)
    groups = [ask.group for ask in asked.grounding]
    assert groups.count("yes") == groups.count("no") > 0


@pytest.mark.parametrize(
    ("skill", "value", "text", "right"),
    [
        ("presence", "yes", "Yes, there is a dog.", 1.0), ("presence", "no", "", 0.0),
        ("count", "no", "There is no dog.", 1.0), ("count", "two", "There are three dogs.", 0.0),
        ("attribute", "red", "The car is red.", 1.0), ("attribute", "big", "large", 1.0),
        ("attribute", "no", "No.", 1.0), ("place", "top left", "In the top.", 0.0),
        ("relation", "a dog", "It is the puppy.", 1.0), ("relation", "the dog", "the cat", 0.0),
        ("ground", "grass", "grass", 1.0), ("source", "nothing in the picture", "Nothing makes it.", 1.0),
        ("sound_order", "bark", "a bark", 1.0), ("heard", "nothing", "nothing", 1.0),
        ("heard", "nothing", "", 0.0), ("caption", "a dog and two cats on grass.", "a dog", 2 / 3),
    ],
)  # fmt: skip
def test_scores_of_understanding(skill: str, value: str, text: str, right: float) -> None:
    assert retention.score(Ask(skill, "?", (), value), reply(text)) == pytest.approx(right)


def test_what_is_kept() -> None:
    import torch

    asks = [Ask("count", "?", (), "two", place=0), Ask("presence", "?", (), "yes", place=1)]
    logits = torch.randn(2, 5)
    before = [reply("two", first=logits), reply("yes", first=logits)]
    same = [reply("two", first=logits.clone()), reply("yes", first=logits.clone())]
    found = by_name(metric.with_bars(retention.kept(asks, before, same), retention.EXACT))
    assert all(one.passed for one in found.values())
    moved = logits.clone()
    moved[0, 0] = torch.nextafter(moved[0, 0], torch.tensor(9.0))
    other = [reply("three", first=moved), reply("yes", first=logits)]
    found = by_name(metric.with_bars(retention.kept(asks, before, other), retention.EXACT))
    assert not any(one.passed for one in found.values())
    assert found["understanding, logits bit-equal to the base's"].value == 0.5
    assert by_name(retention.changes(asks, before, other))["understanding, change, count"].value == -1.0
    broken = [reply("two", first=logits * float("nan")), reply("yes")]
    assert retention.kept(asks, before, broken)[2].value == 0.0
    assert retention.kept(asks, before, broken)[3].value == 1e9


def test_prompts_worded_as_both_kinds_are_left_out() -> None:
    assert wording_shared("Is there a dog?")
    assert not wording_shared("Is the dog left of the cat?")
    grounding = [Ask("unique", "Find the dog.", ()), Ask("yes", "Is there a dog?", ())]
    plain = [Ask("presence", "Is there a cat?", ()), Ask("place", "In which part is the dog?", ())]
    prompts, left_out = retention.prompts(grounding, plain)
    assert {one.text: one.expert for one in prompts} == {
        "Find the dog.": "learn", "In which part is the dog?": "frozen",
    }  # fmt: skip
    assert left_out == 1


def test_the_gate_is_measured_on_what_it_has_not_seen() -> None:
    from deixis.learned.twin.gates.decision import decided

    class Gate:
        def has_seen(self, text: str) -> bool:
            return "seen" in text

        def decide(self, text: str) -> Any:
            return decided("classifier", "learn" if "Find" in text else "frozen")

    grounding = [Ask("unique", text, ()) for text in ("Find it.", "Find seen.", "Point at it.")]
    plain = [Ask("place", text, ()) for text in ("What now", "Find out where it is")]
    found = by_name(retention.gating(Gate(), retention.prompts(grounding, plain)[0]))
    assert (found["gate: right expert"].value, found["gate: right expert"].n) == (0.5, 4)
    assert found["gate: misrouted to the twin"].value == 0.5
    assert found["gate: right expert, hard prompts"].n == 2
    assert retention.misrouted(Gate(), plain) == [1]
