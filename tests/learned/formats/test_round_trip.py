"""Random texts and boxes: what is written is read back within the format's rounding."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deixis.learned import formats
from deixis.learned.formats import Grounded, PictureFrame, Span
from tests.learned.formats.cases import NAMES, PHRASES, frames, grounded_texts, rows, space_of

LISTS = {"deepeyes", "qwen3-vl-zoom"}
"""Formats whose spans are calls beside the text."""
QUICK = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def close(name: str, frame: PictureFrame, before: Span, after: Span) -> bool:
    """Returns whether two spans are the same within the rounding of the format's space."""
    tolerance = space_of(name, frame).rounding_px(frame.size)
    pairs = zip(before.values, after.values, strict=True)
    slack = 1e-6 * max(frame.size.width, frame.size.height)
    return all(abs(a - b) <= tolerance[index % 2] + slack for index, (a, b) in enumerate(pairs))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "visual-cot"])
@QUICK
@given(data=st.data())
def test_what_is_written_is_read_back(name: str, data: st.DataObject) -> None:
    frame = data.draw(frames())
    grounded = data.draw(grounded_texts(name, frame))
    form = formats.get(name)
    text = form.emit(grounded, frame)
    # Formats that mark only a phrase's end are told the phrases, as whoever wrote them knows them.
    parsed = form.parse(text, frame, phrases=PHRASES)
    assert parsed.text == grounded.text
    wanted = [(phrase, None, kind) for phrase, _, kind in rows(grounded)] if name in LISTS else rows(grounded)
    assert rows(parsed) == wanted
    assert all(close(name, frame, a, b) for a, b in zip(grounded.spans, parsed.spans, strict=True))
    assert parsed.diagnostics == ()
    # Written again, it is the same text.
    assert form.emit(parsed, frame) == text


@QUICK
@given(data=st.data())
def test_visual_cot_reads_back_the_hull(data: st.DataObject) -> None:
    frame = data.draw(frames())
    grounded = data.draw(grounded_texts("visual-cot", frame))
    form = formats.get("visual-cot")
    (span,) = form.parse(form.emit(grounded, frame), frame).spans
    boxes = [span.box.xyxy_px for span in grounded.spans]
    hull = tuple(choose(box[at] for box in boxes) for at, choose in enumerate((min, min, max, max)))
    assert close("visual-cot", frame, Span(phrase="", values=hull), span)


@pytest.mark.parametrize("name", NAMES)
@QUICK
@given(data=st.data())
def test_a_list_without_text_is_read_back(name: str, data: st.DataObject) -> None:
    frame = data.draw(frames())
    grounded = data.draw(grounded_texts(name, frame))
    bare = [Span(phrase=span.phrase, kind=span.kind, values=span.values) for span in grounded.spans]
    form = formats.get(name)
    text = form.emit(Grounded(spans=tuple(bare)), frame)
    parsed = form.parse(text, frame, phrases=PHRASES)
    if name == "visual-cot":
        bare = [bare[0]]
    else:
        assert [(span.phrase, span.kind) for span in parsed.spans] == [(one.phrase, one.kind) for one in bare]
        assert all(close(name, frame, a, b) for a, b in zip(bare, parsed.spans, strict=True))
    assert len(parsed.spans) == len(bare)
    assert form.emit(parsed, frame) == text


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("a dog chases the big cat under an old table", ["a dog", "the big cat", "an old table"]),
        ("Two dogs, three cats and it", ["Two dogs", "three cats", "it"]),
        ("There are red apples on wood: green pears", ["red apples", "wood", "green pears"]),
        ("我看到一只狗", ["我看到一只狗"]),
    ],
)
def test_a_phrase_is_found_where_only_its_end_is_marked(text: str, phrases: list[str]) -> None:
    frame = PictureFrame.of(100, 100)
    spans = tuple(
        Span(
            phrase=phrase,
            values=(1, 2, 30, 40),
            start=text.index(phrase),
            end=text.index(phrase) + len(phrase),
        )
        for phrase in phrases
    )
    for name in ("shikra", "shikra-bins", "groundinggpt", "cogvlm"):
        form = formats.get(name)
        parsed = form.parse(form.emit(Grounded(text=text, spans=spans), frame), frame)
        assert [span.phrase for span in parsed.spans] == phrases
