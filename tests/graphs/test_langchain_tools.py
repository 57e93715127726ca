"""Every tool as a LangChain tool."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.tools import ToolException

from deixis.graphs.langchain_tools import langchain_tools
from deixis.tools.detection import GroundResult
from deixis.tools.toolbox import Toolbox
from tests.graphs import fakes


def test_tools_answer_with_json_and_the_output(store: Any) -> None:
    made = {tool.name: tool for tool in langchain_tools(Toolbox(fakes.tools()), store)}
    assert set(made) == set(fakes.tools())
    image = store.add_image(fakes.picture())
    call = {
        "type": "tool_call",
        "id": "1",
        "name": "detection",
        "args": {"image": image.model_dump(), "phrases": ["dog"]},
    }
    message = made["detection"].invoke(call)
    assert isinstance(message.artifact, GroundResult)
    assert message.artifact.phrases[0].detections[0].box == fakes.DOG
    assert '"dog"' in message.content
    assert "phrases" in made["detection"].args and made["detection"].description


async def test_failing_tool_raises_a_tool_exception(store: Any) -> None:
    def broken(request: Any) -> Any:
        return GroundResult()

    (made,) = langchain_tools(Toolbox({"detection": fakes.tools(detection=broken)["detection"]}), store)
    image = store.add_image(fakes.picture())
    with pytest.raises(ToolException, match="cannot be right"):
        await made.ainvoke({"image": image.model_dump(), "phrases": ["dog"]})
