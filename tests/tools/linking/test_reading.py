"""The tolerant reader and the placing of what chat models propose."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.answer import Score
from deixis.tools.linking import Linkable, LinkRequest
from deixis.tools.linking.placing import Pair, place
from deixis.tools.linking.reading import Unreadable, read_reply
from deixis.tools.linking.scripted import scripted
from tests.conformance.linking import check_links, linking_cases

TWO = [("puppies", "dog"), ("wooden table", "table")]
JSON = json.dumps([{"phrase": p, "start": 0, "end": len(p), "label": v, "confidence": 0.5} for p, v in TWO])

FORMS = {
    "json": JSON,
    "fenced": f"Sure, here it is:\n```json\n{JSON}\n```\nAnything else?",
    "fence without language": f"```\n{JSON}\n```",
    "prose around": f"The pairs are {JSON} as asked.",
    "wrapped in an object": json.dumps({"links": json.loads(JSON)}),
    "lists of two": json.dumps([list(pair) for pair in TWO]),
    "capital keys": JSON.replace("phrase", "Phrase").replace("label", "LABEL"),
    "hyphen lines": "puppies - dog\nwooden table - table",
    "long dash": "puppies — dog\nwooden table – table",
    "long dash without blanks": "puppies—dog\nwooden table—table",
    "bullets": "* puppies - dog\n• wooden table - table",
    "hyphen bullets": "- puppies - dog\n- wooden table - table",
    "numbered": "1. puppies - dog\n2) wooden table - table",
    "quoted": "\"puppies\" -> 'dog'\n“wooden table” → **table**",
    "colon": "puppies: dog\nwooden table: table",
    "prose between": "Here are the pairs:\n\npuppies - dog\nwooden table - table\n\nThat is all.",
    "windows lines": "puppies - dog\r\nwooden table - table\r\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    assert [(pair.phrase, pair.label) for pair in read_reply(FORMS[form])] == TWO


@pytest.mark.parametrize("reply", ["[]", "```json\n[]\n```", "None", "No matches.", '{"links": []}'])
def test_nothing_fits(reply: str) -> None:
    assert read_reply(reply) == []


@pytest.mark.parametrize(
    "reply", ["", "I am sorry, I cannot help with that.", "[1, 2]", '[{"a": 1}]', "{", "[" * 5000]
)
def test_unreadable(reply: str) -> None:
    with pytest.raises(Unreadable):
        read_reply(reply)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (0.4, 0.4),
        ("0.4", 0.4),
        ("40%", 0.4),
        (7, 1.0),
        (-1, 0.0),
        ("high", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_confidence(said: object, read: float | None) -> None:
    pair = read_reply(json.dumps([{"phrase": "a", "label": "b", "confidence": said}]))[0]
    assert pair.confidence == read


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=200),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
            ),
        ).map(json.dumps),
    )
)
def test_any_reply_is_read_or_refused(reply: str) -> None:
    try:
        pairs = read_reply(reply)
    except Unreadable:
        return
    assert all(pair.phrase.strip() and pair.label.strip() for pair in pairs)


TEXT = "Two puppies lie under a table; the Puppies sleep."
REQUEST = LinkRequest(
    text=TEXT, labels=(Linkable(id="thing-1", label="Dog"), Linkable(id="thing-2", label="table"))
)
SURE = Score(value=1.0, kind="none")


def test_wrong_offsets_are_put_right_and_all_mentions_found() -> None:
    result = place(REQUEST, [Pair("puppies", "dog", 0, 3, 0.7)], SURE)
    assert [(k.start, k.end, k.phrase, k.id) for k in result.links] == [
        (4, 11, "puppies", "thing-1"),
        (35, 42, "Puppies", "thing-1"),
    ]
    assert result.links[0].confidence.value == 0.7


def test_invented_phrases_and_labels_are_dropped_with_the_reason() -> None:
    result = place(
        REQUEST,
        [Pair("kitten", "dog"), Pair("table", "lamp"), Pair("upp", "dog"), Pair("tables", "table")],
        SURE,
    )
    assert result.links == ()
    assert [(d.phrase, d.label) for d in result.dropped] == [
        ("kitten", "dog"), ("table", "lamp"), ("upp", "dog"), ("tables", "table"),
    ]  # fmt: skip
    assert all(d.reason for d in result.dropped)


def test_plural_label_is_taken_for_the_singular_one() -> None:
    assert [k.id for k in place(REQUEST, [Pair("table", "tables")], SURE).links] == ["thing-2"]


@settings(max_examples=100, deadline=None)
@given(
    linking_cases(),
    st.lists(
        st.tuples(
            st.text(max_size=9),
            st.sampled_from(["dog", "car", "x", ""]),
            st.none() | st.integers(0, 80),
            st.none() | st.integers(0, 80),
        ),
        max_size=6,
    ),
)
def test_placing_conforms(asked: LinkRequest, said: list[tuple[str, str, int | None, int | None]]) -> None:
    pairs = [Pair(*row) for row in said] + [Pair(asked.text[1:5], item.label) for item in asked.labels]
    check_links(asked, place(asked, pairs, SURE))


@settings(max_examples=60, deadline=None)
@given(linking_cases())
def test_scripted_conforms(asked: LinkRequest) -> None:
    linker = scripted()
    result = linker.run(asked, None)  # type: ignore[arg-type]
    check_links(asked, result)
    assert linker.script.calls == 1
