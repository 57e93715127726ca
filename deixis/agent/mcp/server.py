"""The MCP server: six tools over one agent, their results as text and as JSON with a schema."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from deixis import __version__
from deixis.agent.agent import Agent
from deixis.agent.mcp.sources import Sources
from deixis.answer import GroundedAnswer
from deixis.errors import DeixisError, InputFault, ToolFault
from deixis.geometry import Box, Frozen
from deixis.media.refs import AudioRef, ImageRef
from deixis.tools.detection.protocol import GroundRequest, GroundResult
from deixis.tools.hearing.protocol import HearRequest, HearResult
from deixis.tools.matching.protocol import Heard, MatchRequest, MatchResult, Visible
from deixis.tools.protocol import Role, in_thread
from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult
from deixis.tools.tagging.protocol import TagRequest, TagResult

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
Out = TypeVar("Out", bound=Frozen)

INSTRUCTIONS = """deixis points at what it says. Boxes are x1, y1, x2, y2 in pixels of the upright
original picture; times are seconds. A phrase that is absent was looked for and not seen; one that is not
covered is a kind of thing that the detector does not know, so nothing is said about it. Pictures and sounds
are given as the path of a file, as a data: URI, or, where the server allows it, as an http(s) address."""

Picture = Annotated[str, Field(description="the picture: path of a file, data: URI, or address")]
Sound = Annotated[str, Field(description="the sound: path of a file, data: URI, or address")]
READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def mcp_server(agent: Agent, sources: Sources, timeout_s: float = 60.0) -> MCPServer[Any]:
    """Returns an MCP server over an agent; what it may open is told by `sources`."""
    server: MCPServer[Any] = MCPServer(
        "deixis", title="deixis", version=__version__, instructions=INSTRUCTIONS, log_level="WARNING"
    )
    desk = _Desk(agent, sources, timeout_s)
    for call in (desk.ask, desk.tag, desk.ground, desk.segment, desk.hear, desk.match):
        server.tool(name=call.__name__, annotations=READS)(_told(call))
    return server


def _told(call: F) -> F:
    """Returns the same call, whose errors reach the client as a code, a message and a cure."""

    @functools.wraps(call)
    async def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return await call(*args, **kwargs)
        except DeixisError as error:
            raise ToolError(f"[{error.code}] {error}") from error

    return told  # type: ignore[return-value]


class _Desk:
    """The six calls. Their docstrings and annotations are what clients read."""

    def __init__(self, agent: Agent, sources: Sources, timeout_s: float) -> None:
        self._agent = agent
        self._sources = sources
        self._timeout_s = timeout_s

    async def ask(
        self,
        question: Annotated[str, Field(description="in English; empty: describe", max_length=5000)] = "",
        image: Annotated[str, Field(description="a picture: path, data: URI, or address")] = "",
        audio: Annotated[str, Field(description="a sound: path, data: URI, or address")] = "",
    ) -> Annotated[CallToolResult, GroundedAnswer]:
        """Answer a question about a picture, a sound, or both; every phrase of the answer is tied to boxes,
        masks or times, and what is not there is said to be not there."""
        answer = await self._agent.aask(
            question,
            image=self._sources.opened(image) if image else None,
            audio=self._sources.opened(audio) if audio else None,
        )
        lines = [answer.text, *(_line(answer, number) for number in range(len(answer.entities)))]
        lines += [f"problem: {problem.message} [{problem.code}]" for problem in answer.problems]
        return CallToolResult(
            content=[TextContent(type="text", text="\n".join(lines))],
            structured_content=answer.model_dump(mode="json"),
        )

    async def tag(
        self, image: Picture, top: Annotated[int, Field(ge=1, le=1000, description="most tags")] = 20
    ) -> TagResult:
        """Name what a picture shows as a whole, best first, with scores."""
        return await self._call("tagging", TagRequest(image=await self._image(image), top=top), TagResult)

    async def ground(
        self,
        image: Picture,
        phrases: Annotated[
            list[str], Field(description="what to look for; empty: all that is known", max_length=200)
        ],
        top: Annotated[int, Field(ge=1, le=300, description="most boxes a phrase")] = 20,
    ) -> GroundResult:
        """Find phrases in a picture: boxes in pixels per phrase; found, absent, or not covered."""
        request = GroundRequest(
            image=await self._image(image), phrases=tuple(phrases), everything=not phrases, top=top
        )
        return await self._call("detection", request, GroundResult)

    async def segment(
        self,
        image: Picture,
        boxes: Annotated[
            list[Box], Field(description="in pixels of the picture", min_length=1, max_length=200)
        ],
    ) -> SegmentResult:
        """Outline what is in boxes of a picture: one mask (COCO RLE) per box, in order."""
        request = SegmentRequest(image=await self._image(image), boxes=tuple(boxes))
        return await self._call("segmentation", request, SegmentResult)

    async def hear(
        self, audio: Sound, top: Annotated[int, Field(ge=1, le=300, description="most events")] = 20
    ) -> HearResult:
        """Name the events of a sound with their start and end in seconds."""
        return await self._call("hearing", HearRequest(audio=await self._audio(audio), top=top), HearResult)

    async def match(self, image: Picture, audio: Sound) -> MatchResult:
        """Tell which visible thing makes which sound: matched, unmatched, or unknown, with reasons."""
        picture, sound = await self._image(image), await self._audio(audio)
        heard = await self._call("hearing", HearRequest(audio=sound), HearResult)
        seen = await self._call("detection", GroundRequest(image=picture, everything=True), GroundResult)
        tags = TagResult()
        if "tagging" in self._agent.toolbox.roles():
            tags = await self._call("tagging", TagRequest(image=picture), TagResult)
        things = [
            Visible(id=f"thing-{number}", names=(one.name,), score=one.score, box=one.box)
            for number, one in enumerate(seen.everything, 1)
        ]
        things += [
            Visible(id=f"tag-{number}", names=(tag.label, *tag.kinds), score=tag.score, source="tagger")
            for number, tag in enumerate(tags.tags, 1)
        ]
        request = MatchRequest(
            visible=tuple(things),
            heard=tuple(Heard(id=f"sound-{n}", event=event) for n, event in enumerate(heard.events, 1)),
            clip=heard.clip,
            silent=heard.silent,
            image=picture,
            audio=sound,
        )
        return await self._call("matching", request, MatchResult)

    async def _image(self, source: str) -> ImageRef:
        found: ImageRef = await in_thread(self._agent.store.add_image, self._sources.opened(source))
        return found

    async def _audio(self, source: str) -> AudioRef:
        found: AudioRef = await in_thread(self._agent.store.add_audio, self._sources.opened(source))
        return found

    async def _call(self, role: Role, request: Frozen, output: type[Out]) -> Out:
        """Returns the output of the agent's tool for a role.

        Raises:
            InputFault: the profile has none.
            ToolFault: it is too slow, or raised something.
        """
        if role not in self._agent.toolbox.roles():
            raise InputFault(
                "tools.role.empty",
                f"This profile has no tool for {role}.",
                "Start deixis mcp with another --profile.",
            )
        try:
            async with asyncio.timeout(self._timeout_s):
                tool = await in_thread(self._agent.toolbox.need, role)
                return output.model_validate(await tool(request, self._agent.store))
        except TimeoutError as error:
            raise ToolFault(
                "tool.timeout",
                f"{role} gave no answer within {self._timeout_s:g} s.",
                "Ask for less at once.",
            ) from error
        except DeixisError:
            raise
        except Exception as error:  # a stranger's tool may raise anything; the client is told so
            raise ToolFault(
                "tool.raised", f"{role} raised {type(error).__name__}.", "This is a defect of it."
            ) from error


def _line(answer: GroundedAnswer, number: int) -> str:
    """Returns a line about one entity: its label and where it is."""
    entity = answer.entities[number]
    places = []
    for region in entity.regions:
        if box := region.box:
            places.append(f"x {box.x1:.0f}-{box.x2:.0f}, y {box.y1:.0f}-{box.y2:.0f} px")
        if span := region.span:
            places.append(f"{span.start_s:.1f}-{span.end_s:.1f} s")
    return f"- {entity.label} ({entity.id}): {'; '.join(places) or 'no place'}"
