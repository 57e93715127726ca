"""The scripted matcher: keeps the role's promises, and misbehaves as told."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings

from deixis.errors import ToolFault
from deixis.tools.matching import MatchResult
from deixis.tools.matching.scripted import scripted
from tests.conformance.matching import check_verdicts, matching_cases
from tests.tools.matching.scenes import heard, request, thing


@settings(max_examples=60, deadline=None)
@given(matching_cases())
def test_keeps_the_promises_of_matchers(asked):
    check_verdicts(asked, scripted({"bark": "dog", "meow": "cat"}).run(asked, None))


def test_matches_by_its_table():
    tool = scripted({"bark": "dog", "meow": "cat"})
    result = tool.run(request([thing("dog")], [heard("bark"), heard("meow"), heard("rain")]), None)
    assert [(pair.verdict, pair.thing) for pair in result.pairs] == [
        ("matched", "thing-1"), ("unmatched", None), ("unknown", None),
    ]  # fmt: skip
    assert result.overall == "matched"


def test_misbehaves_as_told():
    asked = request([thing("dog")], [heard("bark")])
    with pytest.raises(ToolFault):
        asyncio.run(scripted({}, fail="fault")(asked, None))
    with pytest.raises(RuntimeError):
        asyncio.run(scripted({}, fail="raise")(asked, None))
    with pytest.raises(ValueError, match="nonsense"):
        MatchResult.model_validate(asyncio.run(scripted({}, fail="nonsense")(asked, None)))
