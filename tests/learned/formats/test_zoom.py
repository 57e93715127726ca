"""Looking closer: a scripted model calls, sees, answers; and everything that it may not do."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.geometry import Box, Size
from deixis.learned import formats
from deixis.learned.formats import PictureFrame
from deixis.learned.formats.toolcalls import ToolCall, tool_calls
from deixis.learned.formats.views import View, cut, part_view, square_view, whole_view
from deixis.learned.formats.zoom import Turn, ZoomLimits, zoom

Image = pytest.importorskip("PIL.Image")
ZOOM = "image_zoom_in_tool"
SIZE = Size(width=800, height=600)


@cache
def picture() -> Image.Image:
    """Returns a picture whose red is its column and whose green is its row, four pixels to a step."""
    made = Image.new("RGB", (SIZE.width, SIZE.height))
    made.putdata([(x // 4, y // 4, 0) for y in range(SIZE.height) for x in range(SIZE.width)])
    return made


def call(*box: float, name: str = ZOOM, **more: object) -> str:
    arguments = {"bbox_2d": list(box), "label": "sign", **more}
    return (
        f"<think>Closer.</think>\n<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"
    )


def script(*texts: str) -> Callable[[Sequence[Turn]], str]:
    left = list(texts)
    return lambda turns: left.pop(0)


ANSWER = "<think>Now I see.</think><answer>It says STOP.</answer>"
DEEPEYES = formats.get("deepeyes")
QWEN3 = formats.get("qwen3-vl-zoom")


def test_a_call_gives_a_new_picture_and_then_the_answer() -> None:
    run = zoom(script(call(200, 100, 300, 200), ANSWER), "What does the sign say?", picture(), form=DEEPEYES)
    assert (run.answer, run.ended) == ("It says STOP.", "answered")
    assert [turn.role for turn in run.turns] == ["system", "user", "assistant", "tool", "assistant"]
    shown = run.turns[3]
    assert shown.view == View(1, Box.of((200, 100, 300, 200)), Size(width=448, height=448))
    assert shown.picture is not None
    # The pixels are those of the box: red 50..74, green 25..49.
    assert shown.picture.size == (448, 448)
    assert shown.picture.getpixel((2, 2))[:2] == (50, 25)
    assert shown.picture.getpixel((445, 445))[:2] == (74, 49)
    assert run.views == (whole_view(SIZE), shown.view)


def test_the_run_is_told_in_trace_steps() -> None:
    run = zoom(script(call(200, 100, 300, 200), call(1, 1, 9, 9), ANSWER), "?", picture(), form=DEEPEYES)
    first, second, last = run.steps
    assert (first.kind, first.text) == ("locate", "Closer.")
    assert first.actions[0].tool == ZOOM
    assert first.actions[0].input["bbox_2d"] == [200, 100, 300, 200]
    assert first.observations[0].output == {"image": 1, "box_px": [200, 100, 300, 200]}
    assert (second.observations[0].status, (second.observations[0].fault or {})["code"]) == (
        "fault",
        "call.small",
    )
    assert (last.kind, last.text) == ("answer", "It says STOP.")


def test_a_call_on_a_shown_part_reaches_deeper_into_the_original() -> None:
    # 0 to 1000 on the original, then on picture 1, which is 448 × 448 pixels of (200, 150)–(400, 350).
    texts = (call(250, 250, 500, 583.5, img_idx=0), call(500, 500, 750, 1000, img_idx=1), ANSWER)
    run = zoom(script(*texts), "?", picture(), form=QWEN3)
    assert [view.box.xyxy_px for view in run.views[1:]] == [(200, 150, 400, 351), (300, 250, 350, 351)]
    assert run.ended == "answered"


def test_boxes_are_in_pixels_of_the_resized_input_where_the_processor_resizes() -> None:
    half = lambda size: PictureFrame(size, Size(width=size.width // 2, height=size.height // 2))  # noqa: E731
    run = zoom(script(call(100, 50, 150, 100), ANSWER), "?", picture(), form=DEEPEYES, frame_of=half)
    assert run.views[1].box.xyxy_px == (200, 100, 300, 200)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (call(10, 10, 40, 200), "call.small"),  # 30 is not more than 30
        (call(780, 10, 900, 200), "call.small"),  # only 20 px of it are inside
        (call(0, 0, 800, 600), "call.whole"),
        (call(0, 0, 800, 5), "call.small"),
        (call(10, 10, 200, name="draw_tool"), "call.tool"),
        (call(10, 10, 200), "call.box"),
        (call(900, 700, 1000, 800), "call.box"),
        (call(10, 10, 9000, 9000), "call.box"),
        (call(10, 10, 200, 200, img_idx=1), "call.image"),
        (call(10, 10, 200, 200, img_idx=-1), "call.image"),
        ("<tool_call>{}</tool_call>", "call.tool"),
        ("<tool_call>not json", "call.tool"),
        (f'<tool_call>{{"name": "{ZOOM}"}}</tool_call>', "call.box"),
        (f'<tool_call>{{"name": "{ZOOM}", "arguments": {{"bbox_2d": [10, 10, 200, 20', "call.box"),
        ("", "call.missing"),
    ],
)
def test_a_call_that_cannot_be_served_is_refused_and_the_model_told(text: str, code: str) -> None:
    run = zoom(script(text, ANSWER), "?", picture(), form=DEEPEYES)
    told = run.turns[3]
    assert (told.role, told.fault, told.picture) == ("tool", code, None)
    assert told.text.endswith(".")
    assert (run.answer, len(run.views)) == ("It says STOP.", 1)


def test_a_box_over_the_edge_is_clipped() -> None:
    run = zoom(script(call(700, 500, 850, 650), ANSWER), "?", picture(), form=DEEPEYES)
    assert run.views[1].box.xyxy_px == (700, 500, 800, 600)


def test_the_aspect_is_limited() -> None:
    limits = ZoomLimits(least_side_px=5, most_aspect=10)
    texts = (call(0, 0, 101, 10), call(0, 0, 100, 10), ANSWER)
    run = zoom(script(*texts), "?", picture(), form=DEEPEYES, limits=limits)
    assert [turn.fault for turn in run.turns if turn.role == "tool"] == ["call.aspect", ""]


def test_the_same_part_is_not_shown_twice() -> None:
    run = zoom(script(call(10, 10, 90, 90), call(10, 10, 90, 90), ANSWER), "?", picture(), form=DEEPEYES)
    assert [turn.fault for turn in run.turns if turn.role == "tool"] == ["", "call.repeated"]
    assert run.turns[5].text == "That part is shown already, as picture 1."


def test_calls_are_limited_and_the_model_is_told_to_answer() -> None:
    boxes = [call(10 + step, 10, 200, 200) for step in range(5)]
    limits = ZoomLimits(most_calls=2)
    run = zoom(script(*boxes[:3], ANSWER), "?", picture(), form=DEEPEYES, limits=limits)
    assert [turn.fault for turn in run.turns if turn.role == "tool"] == ["", "", "call.limit"]
    assert run.ended == "answered"
    stubborn = zoom(script(*boxes), "?", picture(), form=DEEPEYES, limits=limits)
    assert (stubborn.ended, stubborn.answer, len(stubborn.views)) == ("calls", "", 3)


def test_turns_are_limited() -> None:
    limits = ZoomLimits(most_turns=3, most_calls=100)
    run = zoom(lambda turns: "", "?", picture(), form=DEEPEYES, limits=limits)
    assert (run.ended, sum(turn.role == "assistant" for turn in run.turns)) == ("turns", 3)


def test_several_calls_in_one_text_are_all_served() -> None:
    text = call(10, 10, 90, 90) + call(100, 100, 190, 190)
    run = zoom(script(text, ANSWER), "?", picture(), form=DEEPEYES)
    assert [view.number for view in run.views] == [0, 1, 2]
    assert len(run.steps[0].actions) == 2


def test_plain_words_are_an_answer() -> None:
    assert zoom(script("It says STOP."), "?", picture(), form=DEEPEYES).answer == "It says STOP."


def test_only_formats_of_tool_calls_zoom() -> None:
    with pytest.raises(InputFault) as fault:
        zoom(script(ANSWER), "?", picture(), form=formats.get("shikra"))
    assert fault.value.code == "formats.zoom.unfit"


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (
            f'<tool_call>{{"name": "{ZOOM}", "arguments": '
            '{"bbox_2d": [1, 2, 3, 4], "label": "a", "img_idx": 2}}',
            [ToolCall(ZOOM, (1, 2, 3, 4), "a", 2, 11)],
        ),
        (
            '<tool_call>{"name": "x", "arguments": "{\\"bbox_2d\\": [1, 2, 3, 4]}"}</tool_call>',
            [ToolCall("x", (1, 2, 3, 4), "", None, 11)],
        ),
        (
            "<tool_call></tool_call> a <tool_call>b",
            [ToolCall("", None, "", None, 11), ToolCall("", None, "", None, 37)],
        ),
        ("</tool_call> nothing", []),
    ],
)  # fmt: skip
def test_calls_are_read(text: str, calls: list[ToolCall]) -> None:
    assert tool_calls(text) == calls


side = st.integers(1, 3000)


@settings(max_examples=60, deadline=None)
@given(width=side, height=side, shares=st.tuples(*[st.floats(0, 1)] * 4), least=st.integers(1, 500))
def test_views_lie_inside_the_picture_and_map_back(
    width: int, height: int, shares: tuple[float, ...], least: int
) -> None:
    size = Size(width=width, height=height)
    (x1, x2), (y1, y2) = (
        sorted((shares[0] * width, shares[1] * width)),
        sorted((shares[2] * height, shares[3] * height)),
    )
    box = Box(x1=x1, y1=y1, x2=x2, y2=y2)
    view = part_view(1, box, size, least_side_px=least, most_side_px=600)
    square = square_view(1, box, size, least_px=least)
    for one in (view, square):
        assert one.box.clip(size) == one.box
        assert one.box.coverage(box) > 0 or box.area < 1e-12, "less than a millionth of a pixel each way"
        assert box.coverage(one.box) == pytest.approx(1) or box.area == 0
        assert one.to_original(
            Box(x1=0, y1=0, x2=one.size.width, y2=one.size.height)
        ).xyxy_px == pytest.approx(one.box.xyxy_px)
    assert max(view.size.width, view.size.height) <= 600
    assert square.size == Size(width=round(square.box.width), height=round(square.box.height))
    wanted = max(least, round(box.width), round(box.height))
    assert square.box.width >= min(wanted, width) and square.box.height >= min(wanted, height)


def test_the_square_of_visual_cot() -> None:
    size = Size(width=640, height=480)
    # 100 × 40 around (600, 30) becomes 224 × 224, moved into the corner.
    assert square_view(1, Box.of((550, 10, 650, 50)).clip(size), size).box.xyxy_px == (416, 0, 640, 224)
    tall = square_view(1, Box.of((0, 0, 20, 480)), size)
    assert tall.box.xyxy_px == (0, 0, 480, 480)
    made = Image.new("RGB", (640, 480))
    assert cut(made, tall).size == (480, 480)
