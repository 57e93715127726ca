"""The large networks in the manifest: what is fetched for which tool, and what a policy refuses."""

from __future__ import annotations

import pytest

from deixis import registry
from deixis.tools.weights.licences import VARIABLE, non_commercial
from deixis.tools.weights.manifest import manifest
from deixis.tools.weights.pull import chosen, pull

FULL = [entry for entry in manifest() if entry.profile.startswith("full")]


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("ram-plus", {"ram_plus_swin_large_14m.pth", "ram_tag_list.txt", "ram_tag_list_threshold.txt"}),
        ("imagebind", {"imagebind_huge.pth", "bpe_simple_vocab_16e6.txt.gz"}),
        ("embedding/imagebind", {"imagebind_huge.pth", "bpe_simple_vocab_16e6.txt.gz"}),
    ],
)
def test_a_tools_name_chooses_all_that_it_reads(word: str, names: set[str]) -> None:
    assert {entry.name.rsplit("/", 1)[-1] for entry in chosen("full", [word])} == names


def test_every_tool_of_the_manifest_is_there() -> None:
    known = set(registry.tools.names())
    assert {tool for entry in FULL for tool in entry.tools} <= known


def test_only_imagebind_forbids_commercial_use() -> None:
    assert [entry.name for entry in FULL if non_commercial(entry.licence)] == ["imagebind/imagebind_huge.pth"]


def test_what_the_policy_refuses_is_not_fetched(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "commercial")
    wanted = [entry for entry in FULL if non_commercial(entry.licence)]
    (outcome,) = pull(wanted, to=tmp_path, mirror=str(tmp_path / "none"))
    assert outcome.outcome == "failed"
    assert outcome.error is not None
    assert outcome.error.code == "weights.licence.refused"
    assert list(tmp_path.iterdir()) == []
