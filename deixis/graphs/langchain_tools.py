"""Every tool of a toolbox as a LangChain tool, for agents that are built of other parts.

    tools = langchain_tools(agent.toolbox, agent.store)
    tools[0].invoke({"image": store.add_image("yard.jpg").model_dump(), "phrases": ["dog"]})

A tool's arguments are its role's input model; media are references, whose pixels the store holds.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from deixis.errors import DeixisError
from deixis.graphs.checks import check_output
from deixis.media.refs import MediaSource
from deixis.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

ABOUT: dict[str, str] = {
    "tagging": "Names for what a picture shows, with scores.",
    "detection": "Boxes for phrases in a picture, in pixels of the original; says which phrase is not there.",
    "segmentation": "Masks for boxes or points of a picture.",
    "embedding": "Vectors of texts, parts of pictures and of sounds in one space.",
    "hearing": "Sound events with their start and end in seconds.",
    "linking": "Which words of a text name which labels.",
    "matching": "Which visible thing makes which heard sound.",
}


def langchain_tools(toolbox: Toolbox, media: MediaSource) -> list[BaseTool]:
    """Returns a LangChain tool for each role that is filled, named after the role.

    Its content is the output as JSON, its artifact the output itself. A failing tool raises LangChain's
    `ToolException` with the fault's message and cure.

    Raises:
        InputFault: a tool's weights or extra are missing.
    """
    return [_as_langchain(toolbox, role, media) for role in toolbox.roles()]


def _as_langchain(toolbox: Toolbox, role: Any, media: MediaSource) -> BaseTool:
    from langchain_core.tools import StructuredTool, ToolException

    tool = toolbox.need(role)

    async def call(**arguments: Any) -> tuple[str, Any]:
        try:
            request = tool.Input.model_validate(arguments)
            output = tool.Output.model_validate(await tool(request, media))
            check_output(role, tool.name, request, output)
        except DeixisError as error:
            raise ToolException(str(error)) from error
        return json.dumps(output.model_dump(mode="json", exclude_defaults=True)), output

    def call_now(**arguments: Any) -> tuple[str, Any]:
        return asyncio.run(call(**arguments))

    return StructuredTool.from_function(
        func=call_now,
        coroutine=call,
        name=role,
        description=f"{ABOUT[role]} ({tool.name} {tool.version})",
        args_schema=tool.Input,
        response_format="content_and_artifact",
    )
