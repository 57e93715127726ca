"""The task `pope`: figures of hand-made questions, questions by weights, bad folders."""

from __future__ import annotations

import numpy as np
import pytest

from deixis.errors import InputFault
from deixis.eval.pope.metric import f1, measures
from deixis.eval.pope.sampling import accuracy, weights
from deixis.eval.pope.task import QUESTIONS, pope
from deixis.tools.toolbox import Toolbox
from tests.eval.folders import Steps, named, put_json, put_picture, values

T, F = True, False
PAIRS = [(T, T)] * 3 + [(T, F)] + [(F, T)] * 2 + [(F, F)] * 4
"""Three hits, a miss, two false alarms, four right noes."""


def test_the_five_figures_are_those_worked_out_by_hand():
    found = named(measures("random", PAIRS, 0.8))
    expected = {
        "random accuracy": (0.7, 10),
        "random precision": (0.6, 5),
        "random recall": (0.75, 4),
        "random F1": (2 / 3, 10),
        "random yes-rate": (0.5, 10),
    }
    assert {name: (one.value, one.n) for name, one in found.items()} == {
        name: (pytest.approx(value), n) for name, (value, n) in expected.items()
    }
    assert all(one.low <= one.value <= one.high for one in found.values())
    assert found["random accuracy"].passed is False
    assert [one.bar for one in found.values()].count(None) == 4


@pytest.mark.parametrize(
    ("pairs", "value"),
    [([], 0), ([(F, F)], 0), ([(T, F), (F, T)], 0), ([(T, T)], 1), ([(T, T), (F, T)], 2 / 3)],
)
def test_f1(pairs, value):
    assert f1(pairs) == pytest.approx(value)


def ask(number: int, text: str, label: str, setting: str = "random") -> dict[str, str]:
    return {"image": f"images/{number}.png", "setting": setting, "text": text, "label": label}


def test_a_folder_with_a_known_score(tmp_path):
    put_picture(tmp_path, "images/0.png")
    questions = [
        ask(0, "Is there a dog in the image?", "yes"),
        ask(0, "Is there a cat in the image?", "no"),
        ask(0, "Is there a car in the image?", "yes"),  # known, and no box: missed
        ask(0, "Is there a unicorn in the image?", "no"),  # not covered
        ask(0, "Why is the dog so happy?", "yes"),  # not understood
        ask(0, "Is there a dog in the image?", "no", "popular"),  # a false alarm
    ]
    put_json(tmp_path, QUESTIONS, questions)
    table = {"dog": [(0, 0, 50, 50)], "cat": [], "car": []}
    steps = Steps()
    report = pope().run(tmp_path, Toolbox({"detection": ("detection/scripted", {"table": table})}), steps)
    steps.check()
    found = values(report)
    assert found["random accuracy"] == pytest.approx(3 / 5)
    assert found["random precision"] == 1.0
    assert found["random recall"] == pytest.approx(1 / 3)
    assert found["random yes-rate"] == pytest.approx(1 / 5)
    assert found["popular accuracy"] == 0.0
    assert found["box above .35, random accuracy"] == pytest.approx(3 / 5)
    assert {one.name: one.bar for one in report.measures if one.bar} == {
        "random accuracy": 0.83,
        "popular accuracy": 0.82,
    }
    assert (report.items, report.abstentions, report.parse_failures) == (6, 2, 1)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "eval.data.missing"),
        ("[", "eval.data.damaged"),
        ({"questions": []}, "eval.data.damaged"),
        ([1], "eval.data.damaged"),
        ([{"image": "a.png", "setting": "random", "text": "Is there a dog?"}], "eval.data.damaged"),
        ([ask(3, "Is there a dog?", "yes")], "input.media.missing"),
    ],
)
def test_damaged_folders_are_refused_with_a_cure(tmp_path, content, code):
    if content is not None:
        put_json(tmp_path, QUESTIONS, content)
    with pytest.raises(InputFault) as caught:
        pope().run(tmp_path, Toolbox({"detection": "detection/scripted"}), Steps())
    assert caught.value.code == code and caught.value.cure


TRUTH = np.zeros((3, 8), bool)
TRUTH[0, [0, 1, 2]] = True
TRUTH[1, [0, 1, 2, 3]] = True
TRUTH[2, [0, 4]] = True


def test_three_that_are_there_and_three_that_are_not_are_asked_of_each_busy_photo():
    made = weights(TRUTH)
    for asked in made.values():
        assert (asked * TRUTH).sum(axis=1) == pytest.approx([3, 3, 0])
        assert (asked * ~TRUTH).sum(axis=1) == pytest.approx([3, 3, 0])
    assert made["random"][0] == pytest.approx([1, 1, 1, 0.6, 0.6, 0.6, 0.6, 0.6])


def test_popular_asks_for_the_commonest_and_adversarial_for_company():
    made = weights(TRUTH)
    assert made["popular"][0].tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    # 3 is beside 0, 1 and 2, and 4 beside 0: with one name for each thing, 0 gets one of them first.
    assert made["adversarial"][0, 3] == 1 and made["adversarial"][0, 4] == 1
    assert made["adversarial"][1, 4] > made["adversarial"][1, 7]


def test_a_photo_of_many_things_is_sampled_the_same_every_time():
    truth = np.zeros((2, 40), bool)
    truth[0, :15] = truth[1, 10:14] = True
    one, other = weights(truth, seed=3), weights(truth, seed=3)
    assert all((one[setting] == other[setting]).all() for setting in one)
    assert (one["adversarial"][0] * ~truth[0]).sum() == pytest.approx(3)


def test_accuracy_is_weighted_and_a_limit_is_reached_by_what_equals_it():
    truth = np.array([[True, True, False, False]])
    sure = np.array([[0.5, 0.1, 0.6, 0.2]])
    asked = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert accuracy(sure, truth, asked, 0.5) == pytest.approx(0.5)
    assert accuracy(sure, truth, asked, 0.7) == pytest.approx(0.7)
    assert accuracy(sure, truth, 0 * asked, 0.5) == 0.0
