"""The queue of a tool: batches, order, room, time, and tools that fail in every way."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputFault, ToolFault
from deixis.geometry import Frozen, Size
from deixis.media.refs import ImageRef
from deixis.tools.protocol import LocalTool
from deixis.tools.serving.batching import Batcher
from deixis.tools.serving.settings import Batching


class Number(Frozen):
    value: int


class Adder(LocalTool[Number, Number]):
    """Adds one; says no to negative numbers; sleeps as long as it is told."""

    name, version, role = "tagging/adder", "1", "tagging"
    Input = Output = Number

    def __init__(self, sleep_s: float = 0.0) -> None:
        self.sleep_s = sleep_s
        self.batches: list[list[int]] = []

    def run(self, request: Number, media: Any) -> Any:
        if request.value < 0:
            raise InputFault("test.negative", "No.")
        if request.value == 13:
            raise RuntimeError("secret of the server")
        if request.value == 14:
            return "nonsense"
        return Number(value=request.value + 1)

    def run_many(self, requests, media):
        self.batches.append([request.value for request in requests])
        time.sleep(self.sleep_s)
        return super().run_many(requests, media)


class Watch:
    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def batch(self, role, size, seconds, waited_s) -> None:
        assert len(waited_s) == size and all(one >= 0 for one in waited_s)
        self.seen.append((role, size))


def through(tool: Any, values: list[int], **options: Any) -> tuple[list[Any], Watch]:
    """Returns the outcome of each value, all asked at once."""

    async def main() -> tuple[list[Any], Watch]:
        watch = Watch()
        batcher = Batcher(tool, None, Batching(**options), watch)  # type: ignore[arg-type]
        batcher.start()
        outcomes = await asyncio.gather(
            *(batcher.submit(Number(value=value)) for value in values), return_exceptions=True
        )
        await batcher.stop()
        return outcomes, watch

    return asyncio.run(main())


@given(st.lists(st.integers(-3, 12), max_size=40), st.integers(1, 9))
def test_each_gets_its_own_outcome_in_batches_in_order(values, most):
    tool = Adder()
    outcomes, watch = through(tool, values, max_batch=most, window_s=0.001)
    for value, outcome in zip(values, outcomes, strict=True):
        if value < 0:
            assert isinstance(outcome, InputFault) and outcome.code == "test.negative"
        else:
            assert outcome == Number(value=value + 1)
    assert [value for batch in tool.batches for value in batch] == values
    assert [len(batch) for batch in tool.batches] == [size for _, size in watch.seen]
    assert all(len(batch) == most for batch in tool.batches[:-1])


def test_a_full_batch_does_not_wait_for_the_window():
    begun = time.monotonic()
    outcomes, _ = through(Adder(), [1, 2, 3, 4], max_batch=4, window_s=5.0)
    assert [one.value for one in outcomes] == [2, 3, 4, 5]
    assert time.monotonic() - begun < 2


def test_a_request_alone_goes_after_the_window():
    outcomes, watch = through(Adder(), [1], window_s=0.01)
    assert outcomes == [Number(value=2)] and watch.seen == [("tagging", 1)]


def test_what_a_tool_raises_or_returns_stays_with_its_request():
    outcomes, _ = through(Adder(), [1, 13, 14, 2])
    assert outcomes[0] == Number(value=2) and outcomes[3] == Number(value=3)
    assert outcomes[1].code == "tool.raised" and "secret" not in str(outcomes[1])
    assert outcomes[2].code == "tool.output.nonsense"


def test_no_room_is_said_at_once_with_a_time_to_come_back():
    outcomes, _ = through(Adder(0.05), list(range(10)), max_batch=2, max_queue=4, window_s=0)
    refused = [one for one in outcomes if isinstance(one, ToolFault)]
    assert len(refused) == 6 and {one.code for one in refused} == {"serve.queue.full"}
    assert all(one.details["retry_after_s"] > 0 for one in refused)


def test_a_hung_tool_is_given_up_and_said_to_be_stuck():
    release = threading.Event()

    class Hung(Adder):
        def run_many(self, requests, media):
            release.wait(20)
            return super().run_many(requests, media)

    tool = Hung()

    async def main() -> tuple[list[str], bool, bool]:
        batcher = Batcher(tool, None, Batching(timeout_s=0.1, max_abandoned=2, window_s=0), Watch())  # type: ignore[arg-type]
        batcher.start()
        codes = []
        for value in range(3):
            with pytest.raises(ToolFault) as caught:
                await batcher.submit(Number(value=value))
            codes.append(caught.value.code)
            await asyncio.sleep(0.05)
        stuck = batcher.stuck
        release.set()
        for _ in range(500):
            if not batcher.stuck:
                break
            await asyncio.sleep(0.02)
        await batcher.stop()
        return codes, stuck, batcher.stuck

    codes, then, later = asyncio.run(main())
    assert codes == ["tool.timeout", "tool.timeout", "serve.tool.stuck"]
    assert then and not later, "calls that come back after all are counted out again"


def test_a_batch_method_that_is_wrong_spoils_no_other_batch():
    class Wrong(Adder):
        def run_many(self, requests, media):
            if len(requests) > 1:
                return [Number(value=0)]
            if requests[0].value == 7:
                raise ValueError("whole batch")
            return super().run_many(requests, media)

    both, _ = through(Wrong(), [1, 2])
    assert {one.code for one in both} == {"tool.output.nonsense"}
    one, _ = through(Wrong(), [7])
    assert one[0].code == "tool.raised"
    assert through(Wrong(), [1])[0] == [Number(value=2)]


def test_a_tool_without_batches_is_called_for_each():
    class Chat:
        name, version, role, Input, Output = "linking/x", "1", "linking", Number, Number

        async def __call__(self, request, media):
            return {"value": request.value * 2}

    outcomes, watch = through(Chat(), [1, 2, 3])
    assert [one.value for one in outcomes] == [2, 4, 6] and watch.seen == [("linking", 3)]


def test_scripted_fakes_pay_once_for_a_batch():
    from deixis.tools.tagging import TagRequest
    from deixis.tools.tagging.scripted import scripted

    tool = scripted({"dog": 0.9}, delay_s=0.1)
    image = ImageRef(digest=f"sha256:{'0' * 64}", size=Size(width=9, height=9), format="PNG")
    begun = time.monotonic()
    outcomes = tool.run_many([TagRequest(image=image, top=top) for top in range(1, 9)], None)  # type: ignore[arg-type]
    assert time.monotonic() - begun < 0.5 and len(outcomes) == 8
    assert tool.script.batches == [8] and tool.script.calls == 8
