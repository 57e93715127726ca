"""Strangers' words made safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.agent.render.plain import plain, shortened


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("dog", "dog"),
        ("a\x1b[31mred\x1b[0m dog", "ared dog"),
        ("\x1b]0;title\x07dog", "dog"),
        ("\x1b]8;;http://x\x1b\\dog\x1b]8;;\x1b\\", "dog"),
        ("do\x08\x08cat\x00", "docat"),
        ("one\ntwo\tthree", "one two three"),
        ("\u202egod", "god"),
        ("[red]dog[/red]", "[red]dog[/red]"),
        ("犬 🐕 é", "犬 🐕 é"),
        ("\x1b", ""),
        ("\x9b31mdog", "31mdog"),
        ("\udc80dog", "dog"),
    ],
)
def test_what_is_shown(given_text, shown) -> None:
    assert plain(given_text) == shown


def test_lines_stay_where_asked() -> None:
    assert plain("one\ntwo\r\n", lines=True) == "one\ntwo\n"


@given(st.text())
def test_no_control_character_is_left(text) -> None:
    shown = plain(text)
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs")]
    assert plain(shown) == shown
    assert plain(text, lines=True).replace("\n", " ").replace("\t", " ") == shown


@given(st.text(), st.integers(1, 40))
def test_shortened_is_short(text, most) -> None:
    assert len(shortened(text, most)) <= most


def test_shortened_says_that_it_is() -> None:
    assert shortened("a  long\nname of a thing", 10) == "a long na…"
