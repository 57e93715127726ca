"""The families of errors: codes, cures, and how they are told."""

from __future__ import annotations

import json

import pytest

from deixis.errors import (
    DeixisError,
    InputFault,
    MissingExtra,
    PlannerFault,
    RunStopped,
    ToolFault,
    WeightsMissing,
)


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        (ToolFault, "tool"),
        (PlannerFault, "planner"),
        (RunStopped, "stopped"),
        (InputFault, "input"),
        (DeixisError, "error"),
    ],
)
def test_every_family_has_one_root_and_is_told_as_data(kind: type[DeixisError], family: str) -> None:
    error = kind("a.b.c", "It broke.", "Mend it.", size=7, path=None)
    assert isinstance(error, DeixisError)
    told = json.loads(json.dumps(error.as_dict()))
    assert told == {
        "family": family,
        "code": "a.b.c",
        "message": "It broke.",
        "cure": "Mend it.",
        "details": {"size": "7", "path": "None"},
    }


def test_text_is_the_message_and_the_cure() -> None:
    assert str(InputFault("a", "It broke.", "Mend it.")) == "It broke. Mend it."
    assert str(InputFault("a", "It broke.")) == "It broke."


def test_the_callers_mistakes_are_value_errors_and_the_others_are_not() -> None:
    assert issubclass(InputFault, ValueError)
    assert not issubclass(ToolFault, ValueError)
    assert not issubclass(RunStopped, ValueError)


def test_a_missing_extra_gives_the_install_line() -> None:
    error = MissingExtra("video", "av", "Reading films")
    assert error.code == "install.extra.missing"
    assert "pip install 'deixis[video]'" in error.cure
    assert "'av'" in error.message
    assert isinstance(error, InputFault)


def test_missing_weights_give_the_pull_command() -> None:
    error = WeightsMissing("detect/a.onnx", "light", "the cache")
    assert error.code == "weights.missing"
    assert "deixis models pull light" in error.cure
    assert "DEIXIS_WEIGHTS" in error.cure
    assert error.details["name"] == "detect/a.onnx"
