"""JSON as models break it: read where that is safe, dropped with a reason where it is not."""

from __future__ import annotations

import pytest

from deixis.learned import formats
from tests.learned.formats.broken import CAT, DOG, FRAME, Found, read


@pytest.mark.parametrize(
    ("text", "plain", "found", "codes"),
    [
        (
            '[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, 800], '
            '"label": "cat"}]',
            "",
            [("dog", DOG), ("cat", CAT)],
            "",
        ),
        (
            '```json\n[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, '
            '800], "label": "cat"}]\n```',
            "",
            [("dog", DOG), ("cat", CAT)],
            "",
        ),
        (
            'Sure!\n```\n[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, '
            '800], "label": "cat"}]\n```\nThat is all.',
            "Sure!\n\nThat is all.",
            [("dog", DOG), ("cat", CAT)],
            "",
        ),
        (
            'Here: [{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, 800], '
            '"label": "cat"}] done',
            "Here:  done",
            [("dog", DOG), ("cat", CAT)],
            "",
        ),
        (
            '{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, 800], '
            '"label": "cat"}',
            ",",
            [("dog", DOG), ("cat", CAT)],
            "",
        ),
        (
            '{"objects": [{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, '
            '800], "label": "cat"}]}',
            "",
            [("dog", DOG), ("cat", CAT)],
            "",
        ),
        (
            '{"bbox_2d": [100, 200, 300, 400], "label": "dog", "bbox_2d": [500, 600, 700, 800], "label": '
            '"cat"}',
            "",
            [("dog", DOG), ("cat", CAT)],
            "json.repeated",
        ),
        (
            '{"label": "dog", "bbox_2d": [100, 200, 300, 400], "label": "cat", "bbox_2d": [500, 600, '
            "700, 800]}",
            "",
            [("dog", DOG), ("cat", CAT)],
            "json.repeated",
        ),
        ("[{'bbox_2d': [100, 200, 300, 400], 'label': 'dog'}]", "", [("dog", DOG)], ""),
        ("[{bbox_2d: [100, 200, 300, 400], label: dog,},]", "", [("dog", DOG)], ""),
        ("{'bbox_2d': (100, 200, 300, 400), 'label': 'dog'}", "", [("dog", DOG)], ""),
        ('{"bbox_2d": "100, 200, 300, 400", "label": "dog"}', "", [("dog", DOG)], ""),
        ('{"bbox_2d": ["100", "200", "300", "400"], "label": "dog"}', "", [("dog", DOG)], ""),
        ('{"bbox_2d": ["100", "200", "300", "far"], "label": "dog"}', "", [], "-values.number"),
        ('{"bbox_2d": [100 200 300 400] "label": "dog"}', "", [("dog", DOG)], ""),
        ('{"bbox_2d": [[100, 200, 300, 400]], "label": "dog"}', "", [("dog", DOG)], ""),
        (
            '{"bbox_2d": [[100, 200, 300, 400], [500, 600, 700, 800]], "label": "dog"}',
            "",
            [("dog", DOG), ("dog", CAT)],
            "",
        ),
        ('{"bbox_2d": [100, 200, 300, 400], "label": "a 12" dog"}', "", [('a 12" dog', DOG)], ""),
        (
            '{"bbox_2d": [100, 200, 300, 400], "label": "caf\\u00e9 \\ud83d\\ude00"}',
            "",
            [("café 😀", DOG)],
            "",
        ),
        ('{"bbox_2d": [100, 200, 300, 400], "label": 7}', "", [("7", DOG)], ""),
        ('{"bbox_2d": [100, 200, 300, 400]}', "", [("", DOG)], "label.missing"),
        ("[[100, 200, 300, 400]]", "", [("", DOG)], "label.missing"),
        (
            '[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, 800], '
            '"label": "cat"}',
            "",
            [("dog", DOG), ("cat", CAT)],
            "",
        ),
        (
            '[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, 800], '
            '"label": "cat"}]]}',
            "]}",
            [("dog", DOG), ("cat", CAT)],
            "",
        ),
        ('[{"bbox_2d": [100, 200, 300, 400, "label": "dog"}]', "", [("dog", DOG)], ""),
        ('[{"bbox_2d": [100, 200, 300, 400], "label": "do', "", [("do", DOG)], "text.cut"),
        (
            '[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}, {"bbox_2d": [500, 600, 700, 8',
            "",
            [("dog", DOG)],
            "text.cut -text.cut",
        ),
        ('```json\n[{"bbox_2d": [100, 200, 300, 400], "label": "dog"}\n```', "", [("dog", DOG)], ""),
        ('{"bbox_2d": [300, 400, 100, 200], "label": "dog"}', "", [("dog", DOG)], "corners.swapped"),
        ('{"bbox_2d": [300, 200, 100, 400], "label": "dog"}', "", [("dog", DOG)], "corners.swapped"),
        (
            '{"bbox_2d": [-50, 200, 300, 1050], "label": "dog"}',
            "",
            [("dog", (0, 200, 300, 1000))],
            "values.clipped",
        ),
        ('{"bbox_2d": [100, 200, 300, 4000], "label": "dog"}', "", [], "-values.range"),
        ('{"bbox_2d": [1020, 200, 1050, 400], "label": "dog"}', "", [], "-box.outside"),
        ('{"bbox_2d": [100, 200, 300], "label": "dog"}', "", [], "-values.count"),
        ('{"bbox_2d": [100, 200, 300, null], "label": "dog"}', "", [], "-values.number"),
        ('{"bbox_2d": [100, 200, NaN, 400], "label": "dog"}', "", [], "-values.number"),
        ('{"bbox_2d": [100, 200, 1e999, 400], "label": "dog"}', "", [], "-values.number"),
        ('{"bbox_2d": {}, "label": "dog"}', "", [], "-values.number"),
        ("It is {not} a box [1], [see there].", "It is {not} a box [1], [see there].", [], ""),
        ('{"answer": "yes"}', '{"answer": "yes"}', [], ""),
    ],
)
def test_json(text: str, plain: str, found: Found, codes: str) -> None:
    assert read("qwen2.5-vl", text) == (plain, found, codes)


def test_a_diagnostic_says_where_and_why() -> None:
    text = 'No. {"bbox_2d": [100, 200, 300], "label": "dog"}'
    (note,) = formats.get("qwen3-vl").parse(text, FRAME).dropped
    assert text[note.start : note.end] == text[4:]
    assert note.excerpt == text[4:]
    assert note.reason == "3 values are not a box."


def test_slack_decides_what_is_clipped() -> None:
    text = '{"bbox_2d": [100, 200, 300, 1500], "label": "dog"}'
    assert not formats.get("qwen3-vl").parse(text, FRAME).spans
    (span,) = formats.get("qwen3-vl", slack=1.0).parse(text, FRAME).spans
    assert span.values == pytest.approx((100, 200, 300, 1000))
