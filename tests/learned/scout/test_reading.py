"""Broken files are read as far as they can be, and what cannot is named by its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import InputFault
from deixis.learned.scout.reading import BrokenLine, lines, samples
from tests.learned.scout.conftest import by_hand

GOOD = by_hand().line().encode()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "json"),
        (GOOD[:-20], "json"),
        (b"[" * 100_000, "json"),
        (b'{"a": NaN}', "json"),
        (b"null", "schema"),
        (b"{}", "schema"),
        (b"[]", "schema"),
        (GOOD.replace(b'"x1":10.0', b'"x1":"left"'), "schema"),
        (GOOD.replace(b'"x1":10.0', b'"x1":1e999'), "schema"),
        (GOOD.replace(b'"x1":10.0', b'"x1":99.0'), "schema"),  # corners the wrong way round
        (GOOD.replace(b'"kind":"answer"', b'"kind":"think"'), "schema"),
        (b"\xff\xfe{}", "encoding"),
        (b'{"question": "' + b"a" * 5_000_000 + b'"}', "long"),
    ],
    ids=range(13),
)
def test_a_broken_line_is_passed_over_and_named(tmp_path, line, code):
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n\n" + line + b"\n" + GOOD + b"\n")
    broken: list[BrokenLine] = []
    assert list(samples(path, broken=broken.append)) == [by_hand(), by_hand()]
    assert [(one.number, one.code) for one in broken] == [(3, f"scout.line.{code}")]
    assert "line 3" in broken[0].message and broken[0].cure and len(broken[0].message) < 700
    with pytest.raises(BrokenLine) as fault:
        list(samples(path, strict=True))
    assert fault.value.number == 3


def test_a_torn_last_line_says_so(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD + b"\n" + GOOD[:100])
    last = list(lines(path))[-1]
    assert last.number == 2 and last.fault is not None and "cut off" in last.fault.message


def test_what_editors_do_to_files_does_not_matter(tmp_path):
    path = tmp_path / "a.jsonl"
    indented = json.dumps(json.loads(GOOD), ensure_ascii=False).encode()
    path.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n  \n" + indented)
    assert [line.sample for line in lines(path)] == [by_hand(), by_hand()]


def test_a_missing_file_names_its_cure(tmp_path):
    with pytest.raises(InputFault) as fault:
        list(samples(tmp_path / "none.jsonl"))
    assert fault.value.code == "scout.file.missing" and "scout make" in fault.value.cure
    with pytest.raises(InputFault):
        list(samples(tmp_path))  # a folder that holds no samples


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "strange.jsonl"
    path.write_bytes(raw + b"\n" + GOOD + b"\n")
    found = list(lines(path))
    assert found[-1].sample == by_hand()
    assert all((line.sample is None) == (line.fault is not None) for line in found)
