"""The statistics are what a hand counts on ten samples."""

from __future__ import annotations

from deixis.geometry import Box
from deixis.learned.scout.statistics import statistics
from tests.learned.scout.conftest import AUDIO, IMAGE, by_hand, heard_by_hand


def ten() -> list:
    """Ten samples: seven of a cup, one denial, one sound, one with picture and sound."""
    denied = by_hand(
        question="Is there a dog left of the cup?", task="presence", absence="absent", value="no",
        steps=(
            {"index": 0, "kind": "locate", "text": "There is no dog.",
             "actions": by_hand().steps[0].actions,
             "observations": ({"call": "0.1", "status": "fault", "fault": {"code": "x"}},)},
            {"index": 1, "kind": "answer", "text": "No.", "spans": ({"start": 0, "end": 2, "phrase": "No"},)},
        ),
    )  # fmt: skip
    large = by_hand(
        question="Find it.", task="find", media=(IMAGE, AUDIO), split="test", value="yes",
        steps=(
            {"index": 0, "kind": "answer", "text": "Here.",
             "spans": ({"start": 0, "end": 4, "phrase": "Here", "boxes": (Box.of((0, 0, 100, 70)),)},)},
        ),
    )  # fmt: skip
    cups = [by_hand(question=f"Where is the cup number {number}?") for number in range(6)]
    return [by_hand(), *cups, denied, heard_by_hand(), large]


def test_the_numbers_are_those_of_a_hand_count():
    numbers = statistics(ten(), rejected=3, rejected_by_rule={"phrase": 2, "boxes": 1})
    assert (numbers.samples, numbers.pictures, numbers.sounds) == (10, 1, 1)
    assert numbers.tasks == {"find": 1, "presence": 1, "when": 1, "where": 7}
    assert numbers.media == {"audio": 1, "both": 1, "image": 8}
    assert numbers.absences == {"absent": 1} and numbers.absence_share == 0.1
    assert numbers.splits == {"test": 1, "train": 9}
    assert (numbers.yes, numbers.no, numbers.yes_rate) == (1, 1, 0.5)
    assert numbers.steps == 7 * 3 + 2 + 2 + 1
    assert numbers.steps_per_sample == {"1": 1, "2": 2, "3": 7}
    assert numbers.step_kinds == {"answer": 10, "listen": 1, "locate": 8, "select": 7}
    assert numbers.calls == {"detection": 8} and numbers.calls_failed == 1
    assert numbers.spans == 7 * 3 + 1 + 1 + 1 and numbers.boxes == 7 * 3 + 1 and numbers.times == 1
    assert numbers.boxes_per_step == {"0": 4, "1": 22}
    # A cup is 20 × 30 of 100 × 80 px: .075; the large box is .875.
    assert numbers.box_area == {"<= 0.1": 21, "<= 1": 1}
    assert numbers.relations == {"left of": 1}
    assert numbers.questions == 10
    assert numbers.words == 7 * (4 + 3 + 6) + 4 + 1 + 4 + 11 + 1
    assert numbers.makers == {"": 1, "hand/1": 9}
    assert numbers.rejected == 3 and numbers.rejected_by_rule == {"boxes": 1, "phrase": 2}


def test_nothing_is_nothing():
    numbers = statistics([])
    assert numbers.samples == 0 and numbers.yes_rate == 0.0 and numbers.tasks == {}


def test_vocabulary_is_case_blind():
    one = statistics([by_hand()])
    two = statistics([by_hand(), by_hand(question="WHERE is the CUP?")])
    assert one.vocabulary == two.vocabulary > 5
