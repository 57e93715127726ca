"""answer.json"""

from __future__ import annotations

import json

from deixis.agent.export.json import export
from deixis.answer import GroundedAnswer
from tests.agent.render.samples import yard


def test_reading_back_gives_an_equal_answer(store, tmp_path) -> None:
    answer = yard(store)
    (path,) = export().save(answer, tmp_path / "new" / "folder", store)
    assert path == tmp_path / "new" / "folder" / "answer.json"
    assert GroundedAnswer.model_validate_json(path.read_bytes()) == answer
    assert json.loads(path.read_text("utf-8"))["schema_version"] == 1


def test_saving_twice_gives_the_same_bytes_and_leaves_nothing_else(store, tmp_path) -> None:
    answer = yard(store)
    first = export().save(answer, tmp_path, store)[0].read_bytes()
    assert export().save(answer, tmp_path, store)[0].read_bytes() == first
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["answer.json"]
