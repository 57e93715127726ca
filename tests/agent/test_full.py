"""The profile full: without its weights it says how to get them; over tiny files of its names it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deixis import registry
from deixis.agent.agent import Agent
from deixis.agent.profile import load_profile
from deixis.errors import WeightsMissing
from deixis.tools.weights import manifest as listing

torch = pytest.importorskip("torch", reason="needs deixis[learned]")
pytest.importorskip("transformers", reason="needs deixis[learned]")

from tests.parity.weights import named_numbers, picture  # noqa: E402
from tests.tools.detection.grounding_dino import tiny as dinos  # noqa: E402
from tests.tools.embedding.imagebind import test_parity as binds  # noqa: E402
from tests.tools.segmentation.sam import test_parity as sams  # noqa: E402
from tests.tools.segmentation.sam import tiny as tiny_sams  # noqa: E402
from tests.tools.tagging.ram import test_parity as rams  # noqa: E402

PAPERS = {"tagging/ram-plus", "detection/grounding-dino", "segmentation/sam", "embedding/imagebind"}


def _dino(path: Path) -> None:
    from safetensors.torch import save_file

    state = dinos.model().state_dict()
    save_file({key: one.clone() for key, one in state.items() if "swin.layernorm" not in key}, path)


def _sam(path: Path) -> None:
    import json

    shapes = json.loads((sams.FOLDER / "sam.json").read_text("utf-8"))["shapes"]
    torch.save({key: torch.from_numpy(named_numbers(key, tuple(one))) for key, one in shapes.items()}, path)


FILES: dict[str, Callable[[Path], Any]] = {
    "grounding_dino/grounding-dino-tiny.safetensors": _dino,
    "grounding_dino/bert-base-uncased-vocab.txt": lambda path: path.write_text(
        "\n".join(dinos.vocabulary()) + "\n", "utf-8"
    ),
    "sam/sam_vit_h_4b8939.pth": _sam,
    "ram/ram_plus_swin_large_14m.pth": lambda path: torch.save({"model": rams.checkpoint("ram_plus")}, path),
    "labels/ram_tag_list.txt": lambda path: path.write_text("\n".join("abcdefg") + "\n", "utf-8"),
    "labels/ram_tag_list_threshold.txt": lambda path: path.write_text("0.5\n" * 7, "utf-8"),
    "imagebind/imagebind_huge.pth": lambda path: torch.save(binds.checkpoint(), path),
    "imagebind/bpe_simple_vocab_16e6.txt.gz": lambda path: binds.merges(path.parent).replace(path),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny files under the manifest's names."""
    folder = tmp_path_factory.mktemp("weights")
    for name, write in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name)
    return folder


@pytest.fixture
def tiny_files(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Links to these files, a manifest to match, and networks of their sizes."""
    folder = tmp_path / "weights"
    entries = []
    for entry in listing.entries("full"):
        path = folder / entry.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(written / entry.name)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        entries.append(entry.model_copy(update={"size": path.stat().st_size, "sha256": digest}))
    others = [entry for entry in listing.manifest() if entry.profile != "full"]
    monkeypatch.setattr(listing, "manifest", lambda: (*entries, *others))
    monkeypatch.setenv("DEIXIS_WEIGHTS", str(folder))
    monkeypatch.delenv("DEIXIS_SHARED", raising=False)

    from transformers.models.grounding_dino import image_processing_pil_grounding_dino as dino_pictures

    from deixis.tools.detection.grounding_dino import loading as dino_loading
    from deixis.tools.embedding.imagebind import network as bind_network
    from deixis.tools.segmentation.sam import loading as sam_loading
    from deixis.tools.tagging.ram import network as ram_network

    monkeypatch.setattr(dino_loading, "hub_config", dinos.config)
    monkeypatch.setattr(dino_pictures, "GroundingDinoImageProcessorPil", dinos.processor)
    monkeypatch.setattr(sam_loading, "config_of", lambda tensors: tiny_sams.sam_config())
    monkeypatch.setattr(ram_network, "RAM_PLUS", rams.TINY["ram_plus"])
    loaded = bind_network.load
    monkeypatch.setattr(bind_network, "load", lambda path: loaded(path, binds.TINY))
    return folder


def test_it_composes_the_tools_of_the_papers_and_nothing_unknown() -> None:
    profile = load_profile("full")
    names = {choice if isinstance(choice, str) else choice.name for choice in profile.tools.values()}
    assert names >= PAPERS and names <= set(registry.tools.names())
    read = {tool for entry in listing.entries("full") for tool in entry.tools}
    assert names & read == PAPERS, "what the profile uses is what its pull fetches"
    assert all(name.partition("/")[0] == role for role, name in profile.tools.items())


def test_without_its_weights_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEIXIS_SHARED", raising=False)
    with pytest.raises(WeightsMissing) as missing:
        Agent("full", home=tmp_path)
    assert "deixis models pull full" in missing.value.cure
    toolbox = load_profile("full").toolbox()
    for role in ("tagging", "detection", "segmentation", "embedding"):
        with pytest.raises(WeightsMissing) as one:
            toolbox.need(role)
        assert "deixis models pull full" in one.value.cure, role
    assert load_profile("auto").name in ("light", "pocket"), "auto never takes the large networks"


def test_over_tiny_files_it_answers_with_its_own_tools(tmp_path: Path, tiny_files: Path) -> None:
    agent = Agent("full", home=tmp_path / "home")
    answer = agent.ask("Where is the dog?", image=picture(60, 80))
    trace = agent.trace(answer.run)
    called = {action.role: action.tool for step in trace.steps for action in step.actions}
    assert {role: called[role] for role in ("tagging", "detection")} == {
        "tagging": "tagging/ram-plus",
        "detection": "detection/grounding-dino",
    }
    assert answer.text and not [problem for problem in answer.problems if "weights" in problem.code]
    from deixis.geometry import Box
    from deixis.tools.embedding.protocol import EmbedRequest, EmbedResult
    from deixis.tools.segmentation.protocol import SegmentRequest, SegmentResult

    image = agent.store.add_image(picture(60, 80))
    masks: SegmentResult = agent.toolbox.need("segmentation").run(  # type: ignore[attr-defined]
        SegmentRequest(image=image, boxes=(Box(x1=5, y1=6, x2=40, y2=50),)), agent.store
    )
    assert masks.masks[0].method == "sam"
    vectors: EmbedResult = agent.toolbox.need("embedding").run(  # type: ignore[attr-defined]
        EmbedRequest(texts=("a dog",)), agent.store
    )
    assert vectors.dimension == binds.TINY.out and vectors.texts[0] is not None


def test_a_missing_file_fails_alone_with_its_cure(tmp_path: Path, tiny_files: Path) -> None:
    (tiny_files / "ram/ram_plus_swin_large_14m.pth").unlink()
    answer = Agent("full", home=tmp_path / "home").ask("Where is the dog?", image=picture(60, 80))
    (problem,) = [one for one in answer.problems if one.code == "weights.missing"]
    assert "tagging" in problem.model_dump_json() and answer.text
