"""RAM as a tool: thresholds, parts of pictures, several requests in one pass, open tags, the package."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault, MissingExtra
from deixis.geometry import Box
from deixis.media.refs import ImageRef
from deixis.store import Store
from deixis.tools.tagging.protocol import TagRequest
from deixis.tools.tagging.ram import RamTagger, ram, ram_plus
from deixis.tools.tagging.ram import loading as loads
from deixis.tools.tagging.ram.tool import Engine
from deixis.tools.tagging.ram.vocabulary import Vocabulary, descriptions_of, opened, trained
from tests.conformance.tagging import check_tagger

NAMES = ("red", "green", "blue")


class Colours:
    """A network that gives the share of each colour in what it is shown, and counts its passes."""

    def __init__(self) -> None:
        self.passes = 0

    def __call__(self, squares: np.ndarray) -> np.ndarray:
        """Returns how strong each channel is."""
        self.passes += 1
        means = np.array([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
        spreads = np.array([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
        found: np.ndarray = (squares * spreads + means).mean((2, 3)).astype(np.float32)
        return found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def halves(store: Store) -> ImageRef:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :40, 0] = 255
    pixels[:, 40:, 2] = 204
    return store.add_image(pixels)


def tagger(colours: Colours, thresholds: tuple[float, ...] = (0.4, 0.4, 0.4)) -> RamTagger:
    """Returns the tool with the fake network."""
    return RamTagger(
        "tagging/ram", lambda: Engine(32, Vocabulary(NAMES, thresholds), colours), lambda: "sha256:0"
    )


def test_a_tag_is_above_its_own_threshold(store: Store, halves: ImageRef) -> None:
    found = tagger(Colours(), (0.4, 0.1, 0.45)).run(TagRequest(image=halves), store).tags
    assert [tag.label for tag in found] == ["red"]
    assert found[0].score.value == pytest.approx(0.5, abs=0.02)
    assert found[0].source == "ram"


def test_it_keeps_the_promises_of_a_tagger(store: Store, halves: ImageRef) -> None:
    check_tagger(tagger(Colours()), store, halves)


def test_parts_are_looked_at_by_themselves_in_one_pass(store: Store, halves: ImageRef) -> None:
    colours = Colours()
    boxes = (Box(x1=0, y1=0, x2=40, y2=40), Box(x1=50, y1=0, x2=80, y2=40), Box(x1=90, y1=0, x2=99, y2=9))
    found = tagger(colours).run(TagRequest(image=halves, boxes=boxes, threshold=0.7), store)
    assert [[tag.label for tag in part] for part in found.regions] == [["red"], ["blue"], []]
    assert found.tags == ()
    assert colours.passes == 1


def test_no_tag_is_certain(store: Store) -> None:
    white = store.add_image(np.full((8, 8, 3), 255, np.uint8))
    assert tagger(Colours()).run(TagRequest(image=white, threshold=1.0), store).tags == ()
    assert len(tagger(Colours()).run(TagRequest(image=white, threshold=0.99, top=2), store).tags) == 2


def test_several_requests_share_a_pass_and_a_broken_one_spoils_none(store: Store, halves: ImageRef) -> None:
    colours = Colours()
    gone = halves.model_copy(update={"digest": "sha256:" + "0" * 64})
    requests = [TagRequest(image=halves), TagRequest(image=gone), TagRequest(image=halves, threshold=0.45)]
    first, second, third = tagger(colours).run_many(requests, store)
    assert colours.passes == 1
    assert isinstance(second, Exception)
    assert not isinstance(first, Exception)
    assert not isinstance(third, Exception)
    assert {tag.label for tag in first.tags} >= {"red"}
    assert [tag.label for tag in third.tags] == ["red"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"Puppy": ["a young dog", " "]}, {"puppy": ("a young dog",)}),
        (["puppy", "cart"], {"puppy": ("a photo of a puppy.",), "cart": ("a photo of a cart.",)}),
        ([{"puppy": ["x", "y"]}, {"cart": []}], {"puppy": ("x", "y"), "cart": ("a photo of a cart.",)}),
    ],
)
def test_open_tags_come_in_three_forms_and_as_a_file(given: Any, wanted: Any, tmp_path: Path) -> None:
    assert descriptions_of(given) == wanted
    path = tmp_path / "tags.json"
    path.write_text(json.dumps(given), "utf-8")
    assert descriptions_of(path) == wanted


@pytest.mark.parametrize("given", [[], {}, {"a": "text"}, 7, {"a": 3}, "no-such-file.json", [3]])
def test_open_tags_of_another_form_are_refused(given: Any) -> None:
    with pytest.raises(InputFault) as raised:
        descriptions_of(given)
    assert raised.value.code == "tool.tags.unreadable"


def clip_folder(folder: Path, width: int = 512) -> Path:
    """Returns a folder with a tiny text encoder of the real class, and its tokenizer."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

    letters = [chr(one) for one in range(97, 123)] + ["."]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{one}</w>" for one in letters)]
    CLIPTokenizer(vocab={one: row for row, one in enumerate(tokens)}, merges=[]).save_pretrained(folder)
    config = CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        projection_dim=width,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    CLIPTextModelWithProjection(config).save_pretrained(folder)
    return folder


def test_open_tags_are_placed_by_the_text_encoder(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    folder = str(clip_folder(tmp_path))
    said = {"puppy": ("a young dog", "small"), "cart": ("wheels",)}
    mixed = opened(said, folder, 0.5, mixed=True, device="cpu")
    assert mixed.vectors is not None
    assert mixed.described is not None
    assert mixed.described.tolist() == [[True, True], [True, False]]
    lengths = mixed.vectors.norm(dim=-1)
    assert lengths.tolist() == [[pytest.approx(1), pytest.approx(1)], [pytest.approx(1), 0]]
    single = opened(said, folder, 0.5, mixed=False, device="cpu")
    assert single.vectors is not None
    assert single.vectors.shape == (2, 1, 512)
    total = mixed.vectors[0].sum(0)
    assert single.vectors[0, 0].tolist() == pytest.approx((total / total.norm()).tolist(), abs=1e-5)


def test_a_text_encoder_of_another_size_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(InputFault) as raised:
        opened({"a": ("b",)}, str(clip_folder(tmp_path, 32)), 0.5, mixed=True, device="cpu")
    assert raised.value.code == "tool.tags.encoder"


def test_open_tags_on_the_own_network(tmp_path: Path, store: Store, halves: ImageRef) -> None:
    pytest.importorskip("torch")
    from tests.tools.tagging.ram.test_parity import network

    vocabulary = opened(
        {"Puppy": ("young dog",), "cart": ("wheels", "wood")}, str(clip_folder(tmp_path)), 0.0, True, "cpu"
    )
    tool = RamTagger(
        "t", lambda: loads.engine_of(network("ram_plus"), vocabulary, "cpu", "fp32"), lambda: "sha256:0"
    )
    found = tool.run(TagRequest(image=halves), store)
    assert {tag.label for tag in found.tags} == {"Puppy", "cart"}


def test_the_lists_must_be_of_one_length(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\ntwo\n", "utf-8")
    (tmp_path / "b").write_text("0.5\n", "utf-8")
    files = iter([tmp_path / "a", tmp_path / "b"])
    monkeypatch.setattr(
        "deixis.tools.tagging.ram.vocabulary.locate", lambda _name: types.SimpleNamespace(path=next(files))
    )
    with pytest.raises(InputFault) as raised:
        trained()
    assert raised.value.code == "weights.labels.unreadable"


@pytest.mark.shared
def test_the_published_lists(shared: Path) -> None:
    vocabulary = trained()
    assert len(vocabulary.names) == len(set(vocabulary.names)) == 4585
    assert vocabulary.names[2] == "abacus"
    assert min(vocabulary.thresholds) > 0.4
    assert max(vocabulary.thresholds) <= 1  # a tag with 1 is never given


class AuthorsModel:
    """What the authors' package builds, as far as it is used."""

    def __init__(self, broken: bool = False) -> None:
        import torch

        if broken:
            raise ImportError("cannot import name 'apply_chunking_to_forward'")
        self.fc = torch.nn.Linear(3, 1)

    def eval(self) -> AuthorsModel:
        return self

    def to(self, _device: Any) -> AuthorsModel:
        return self

    def generate_tag(self, squares: Any) -> tuple[list[str], list[str]]:
        """Runs its last layer as the package does, and gives names only."""
        self.fc(squares.mean((2, 3))[:, None, :].expand(-1, 3, -1))
        return [], []


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    pytest.importorskip("torch")
    models = types.ModuleType("ram.models")
    models.ram_plus = lambda **_named: AuthorsModel()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ram.models", models)
    monkeypatch.setattr(loads, "package_here", lambda: True)
    monkeypatch.setattr(loads, "trained", lambda: Vocabulary(NAMES, (0.1, 0.1, 0.1)))
    return models


def wanted(implementation: Any) -> loads.Wanted:
    """Returns a request for RAM++ with the trained tags."""
    return loads.Wanted("ram-plus", None, implementation, None, 0.5, "", "cpu", "fp32")


def test_the_authors_package_is_used_where_it_works(package: Any) -> None:
    engine = loads.engine(wanted("auto"), Path("x.pth"))
    assert engine.side == 384
    squares = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    chances = engine.chances(squares)
    assert chances.shape == (2, 3)
    assert ((chances > 0) & (chances < 1)).all()


def test_a_package_that_does_not_work_gives_way(
    package: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    package.ram_plus = lambda **_named: AuthorsModel(broken=True)
    own = Engine(1, Vocabulary(NAMES, (0.1,) * 3), Colours())
    monkeypatch.setattr(loads, "own_engine", lambda *_: own)
    assert loads.engine(wanted("auto"), Path("x.pth")) is own
    assert "apply_chunking_to_forward" in caplog.text
    with pytest.raises(Exception, match="apply_chunking_to_forward") as raised:
        loads.engine(wanted("package"), Path("x.pth"))
    assert raised.value.code == "tool.weights.unloadable"  # type: ignore[attr-defined]


def test_what_is_not_here_is_said_when_the_tool_is_made(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(InputFault) as raised:
        ram(weights=tmp_path / "none.pth")
    assert raised.value.code == "weights.model.absent"
    with pytest.raises(MissingExtra):
        ram_plus(weights=tmp_path / "none.pth", implementation="package")
    with pytest.raises(InputFault) as raised:
        ram_plus(implementation="best")  # type: ignore[arg-type]
    assert raised.value.code == "tool.ram.implementation"
