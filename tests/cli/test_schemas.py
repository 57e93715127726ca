from __future__ import annotations

import json
from pathlib import Path

import pytest

from deixis.cli.main import run
from deixis.cli.schemas import files, models

DOCS = Path(__file__).parents[2] / "docs" / "schemas"


def test_published_schemas_are_up_to_date():
    assert {path.name: path.read_text("utf-8") for path in DOCS.glob("*.json")} == files(), (
        "write them again with: deixis schemas write"
    )


@pytest.mark.parametrize("name", sorted(models()))
def test_every_field_is_listed_and_nothing_else_is_allowed(name):
    schema = json.loads(files()[f"{name}.json"])
    assert set(schema["properties"]) == set(models()[name].model_fields)
    assert schema["additionalProperties"] is False
    assert schema["$schema"].startswith("https://json-schema.org/")


def test_write_and_check(tmp_path, capsys):
    assert run(["schemas", "write", str(tmp_path)]) == 0
    assert run(["schemas", "check", str(tmp_path)]) == 0
    (tmp_path / "trace.json").write_text("{}")
    (tmp_path / "old.json").write_text("{}")
    capsys.readouterr()
    assert run(["schemas", "check", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "trace.json, old.json" in err and "[schema.stale]" in err


def test_show_and_list(capsys):
    assert run(["schemas", "show", "grounded-answer"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "GroundedAnswer"
    assert run(["schemas", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == list(models())
    assert run(["schemas", "show", "nothing"]) == 2
    assert "[schema.unknown]" in capsys.readouterr().err
