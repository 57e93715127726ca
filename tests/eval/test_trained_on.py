"""A tool's own training recordings do not count in its figures."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

from deixis.eval.trained_on import heard_before, left_out


def test_only_files_that_the_tool_lists_are_known(tmp_path: Path):
    one, other = tmp_path / "a.wav", tmp_path / "b.wav"
    one.write_bytes(b"heard")
    other.write_bytes(b"new")
    tool = SimpleNamespace(trained_on=frozenset({f"sha256:{hashlib.sha256(b'heard').hexdigest()}"}))
    assert heard_before(tool, one)
    assert not heard_before(tool, other)
    assert not heard_before(tool, tmp_path / "missing.wav")
    assert not heard_before(SimpleNamespace(), one)


def test_the_remark_counts():
    assert left_out(0, "clips") == ()
    assert left_out(3, "clips") == ("left out, for the tool was trained on them: 3 clips",)
