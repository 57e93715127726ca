"""The page about the twin runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "twin.md"


def test_the_example_runs(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert code.count("assert") == 3
    exec(compile(code, str(PAGE), "exec"), {})
    assert (tmp_path / "my-twin" / "adapter_model.safetensors").is_file()
