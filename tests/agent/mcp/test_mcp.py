"""`deixis mcp` with the real client: over standard input and output, over HTTP, and in one process."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from deixis.agent.agent import Agent
from deixis.agent.mcp.server import mcp_server
from deixis.agent.mcp.sources import Sources
from deixis.agent.profile import Profile
from deixis.answer import GroundedAnswer
from deixis.errors import InputFault
from deixis.tools.detection import GroundResult
from deixis.tools.hearing import HearResult
from deixis.tools.matching import MatchResult
from deixis.tools.segmentation import SegmentResult
from deixis.tools.tagging import TagResult
from tests.agent.samples import painted, tone
from tests.tools.serving.running import FAKES

TOOLS = {"ask", "tag", "ground", "segment", "hear", "match"}
DATA = "data:image/png;base64," + base64.b64encode(painted("RGB", "PNG")).decode()


@pytest.fixture
def room(tmp_path: Path) -> Path:
    folder = tmp_path / "room"
    (folder / "in").mkdir(parents=True)
    (folder / "yard.png").write_bytes(painted("RGB", "PNG"))
    (folder / "in" / "bark.wav").write_bytes(tone(0.5))
    (tmp_path / "secret.png").write_bytes(painted("RGB", "PNG"))
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    return folder


def here(room: Path, tmp_path: Path, tools: dict | None = None) -> Client:
    agent = Agent(Profile(name="fakes"), home=tmp_path / "home", tools=FAKES if tools is None else tools)
    return Client(mcp_server(agent, Sources([room]), timeout_s=5))


def text(result) -> str:
    return "\n".join(part.text for part in result.content)


async def test_every_tool_gives_what_the_agents_tools_give(room, tmp_path):
    async with here(room, tmp_path) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(listed) == TOOLS
        assert all(tool.description and tool.output_schema and tool.annotations for tool in listed.values())
        assert listed["ground"].input_schema["properties"]["phrases"]["description"]
        ground = await client.call_tool("ground", {"image": "yard.png", "phrases": ["dog", "a unicorn"]})
        found = GroundResult.model_validate(ground.structured_content)
        assert [(one.phrase, one.status) for one in found.phrases] == [
            ("dog", "found"),
            ("a unicorn", "not_covered"),
        ]
        assert found.phrases[0].detections[0].box.xyxy_px == (4, 5, 40, 50)
        all_of_it = await client.call_tool("ground", {"image": "yard.png", "phrases": []})
        assert [one.name for one in GroundResult.model_validate(all_of_it.structured_content).everything] == [
            "dog"
        ]
        tag = await client.call_tool("tag", {"image": DATA, "top": 1})
        assert [one.label for one in TagResult.model_validate(tag.structured_content).tags] == ["dog"]
        box = {"x1": 4, "y1": 5, "x2": 40, "y2": 50}
        mask = await client.call_tool("segment", {"image": str(room / "yard.png"), "boxes": [box]})
        assert SegmentResult.model_validate(mask.structured_content).masks[0].mask.area > 500
        hear = await client.call_tool("hear", {"audio": "in/bark.wav"})
        assert [one.label for one in HearResult.model_validate(hear.structured_content).events] == ["bark"]
        match = await client.call_tool("match", {"image": "yard.png", "audio": "in/bark.wav"})
        matched = MatchResult.model_validate(match.structured_content)
        assert (matched.overall, matched.pairs[0].thing) == ("matched", "thing-1")


async def test_ask_answers_in_words_and_in_json(room, tmp_path):
    async with here(room, tmp_path) as client:
        result = await client.call_tool("ask", {"question": "Is there a dog?", "image": "yard.png"})
        answer = GroundedAnswer.model_validate(result.structured_content)
        assert text(result).startswith(answer.text) and "x 4-40, y 5-50 px" in text(result)
        assert [entity.label for entity in answer.entities] == ["dog"] and not result.is_error


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("tag", {"image": "nothing.png"}, "mcp.source.outside"),
        ("tag", {"image": "../secret.png"}, "mcp.source.outside"),
        ("tag", {"image": "link.png"}, "mcp.source.outside"),
        ("tag", {"image": "/etc/passwd"}, "mcp.source.outside"),
        ("tag", {"image": "\x00"}, "mcp.source."),
        ("tag", {"image": "data:image/png;base64,!!"}, "mcp.source.data"),
        ("tag", {"image": "data:image/png"}, "mcp.source.data"),
        ("tag", {"image": "data:,hello"}, "input.image.unknown"),
        ("tag", {"image": "http://127.0.0.1/x.png"}, "input.url.not_allowed"),
        ("tag", {"image": "in/bark.wav"}, "input.image.unknown"),
        ("hear", {"audio": "yard.png"}, "input.audio."),
        ("ask", {"question": "What?", "image": "../secret.png"}, "mcp.source.outside"),
        ("tag", {"image": "yard.png", "top": 0}, "top"),
        ("segment", {"image": "yard.png", "boxes": []}, "boxes"),
        ("ground", {"phrases": ["dog"]}, "image"),
    ],
)
async def test_errors_come_with_their_code(room, tmp_path, name, arguments, code):
    async with here(room, tmp_path) as client:
        result = await client.call_tool(name, arguments)
        assert result.is_error and code in text(result), text(result)


async def test_a_tool_that_fails_is_told_and_the_server_goes_on(room, tmp_path):
    tools = {
        "tagging": ("tagging/scripted", {"fail": "raise"}),
        "detection": ("detection/scripted", {"delay_s": 9}),
    }
    async with here(room, tmp_path, tools) as client:
        assert "tool.raised" in text(await client.call_tool("tag", {"image": "yard.png"}))
        assert "tools.role.empty" in text(await client.call_tool("hear", {"audio": "in/bark.wav"}))
        assert "tool.timeout" in text(
            await client.call_tool("ground", {"image": "yard.png", "phrases": ["x"]})
        )


def test_no_folders_no_files(room):
    with pytest.raises(InputFault):
        Sources([]).opened(str(room / "yard.png"))
    assert Sources([room]).opened("yard.png") == (room / "yard.png").resolve()
    assert Sources([]).opened("data:,a%20b") == b"a b"


async def test_over_standard_input_and_output(room):
    words = ["-m", "deixis", "mcp", "-p", "sketch", "--root", str(room)]
    server = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))
    async with Client(server) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        result = await client.call_tool("ground", {"image": "yard.png", "phrases": []})
        everything = GroundResult.model_validate(result.structured_content).everything
        assert [one.box.iou(type(one.box)(x1=30, y1=20, x2=90, y2=60)) > 0.9 for one in everything] == [True]


async def test_over_http(room, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "deixis", "mcp", "-p", "sketch", "--http", "--port", str(port)]
    child = subprocess.Popen([sys.executable, *words], cwd=room, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 40
        while time.monotonic() < end and child.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            assert not (await client.call_tool("ground", {"image": DATA, "phrases": []})).is_error
            refused = await client.call_tool("ground", {"image": str(room / "yard.png"), "phrases": []})
            assert refused.is_error and "mcp.source.outside" in text(refused), "over HTTP no files"
    finally:
        child.kill()
        child.wait()
