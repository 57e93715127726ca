"""The tool on tiny random models of the real classes; its rules on a network that says what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault, ToolFault, WeightsMissing
from deixis.store import Store
from deixis.tools.detection.grounding_dino import GroundingDino, authors, grounding_dino
from deixis.tools.detection.grounding_dino.network import Seen
from deixis.tools.detection.grounding_dino.prompts import Vocabulary
from deixis.tools.detection.protocol import GroundRequest, GroundResult
from tests.parity.weights import picture
from tests.tools.detection.grounding_dino import tiny

DIGEST = "sha256:" + "0" * 64


class Told:
    """A network that gives each token of its table a probability in each of its boxes."""

    def __init__(self, table: dict[str, list[float]], boxes: Sequence[Sequence[float]], limit: int = 256):
        self.words = {word: 10 + index for index, word in enumerate(table)}
        self.chances = {self.words[word]: row for word, row in table.items()}
        self.boxes = np.array(boxes, np.float32)
        self.limit = limit
        self.vocabulary = Vocabulary(start=1, end=2, stop=3, unknown=4)
        self.prompts: list[tuple[int, ...]] = []

    def tokens(self, text: str) -> list[int]:
        return [self.words.get(text, 4)]

    def encode(self, pixels: Any) -> Any:
        return pixels.shape

    def look(self, encoded: Any, prompts: Sequence[tuple[int, ...]]) -> list[Seen]:
        self.prompts += prompts
        nothing = [0.0] * len(self.boxes)
        return [
            Seen(np.array([self.chances.get(token, nothing) for token in ids], np.float32).T, self.boxes)
            for ids in prompts
        ]


TWO = [[0, 0, 0.5, 1], [0.5, 0, 1, 1]]


def _tool(network: Any, **options: Any) -> GroundingDino:
    return GroundingDino("detection/grounding-dino", lambda: network, lambda: DIGEST, **options)


def _ground(tool: GroundingDino, store: Store, *phrases: str, seed: int = 0, **options: Any) -> GroundResult:
    image = store.add_image(picture(60, 80, seed))
    return asyncio.run(tool(GroundRequest(image=image, phrases=phrases, **options), store))


def test_phrases_never_melt_and_come_back_as_asked(store: Store) -> None:
    """Both words are above both thresholds in one box: the published decoding would call it 'dog cat'."""
    network = Told({"dog": [0.6, 0.1], "cat": [0.5, 0.1], "red": [0.1, 0.9], "car": [0.0, 0.05]}, TWO)
    result = _ground(_tool(network), store, " Dog. ", "cat", "red car", "dog")
    assert [one.phrase for one in result.phrases] == [" Dog. ", "cat", "red car", "dog"]
    assert [one.status for one in result.phrases] == ["found", "found", "absent", "found"], "red is no car"
    assert result.phrases[0].detections == result.phrases[3].detections
    assert [one.name for one in result.phrases[1].detections] == ["cat"]
    assert result.phrases[0].detections[0].box.xyxy_px == (0, 0, 40, 60)
    assert len(network.prompts) == 1, "the same text is prompted once"


def test_the_thresholds_are_those_of_the_paper_and_a_request_has_its_own(store: Store) -> None:
    network = Told({"dog": [0.26, 0.24], "old": [0.9, 0.9], "man": [0.21, 0.19]}, TWO)
    tool = _tool(network)
    assert len(_ground(tool, store, "dog").phrases[0].detections) == 1
    assert len(_ground(tool, store, "old man").phrases[0].detections) == 1
    assert len(_ground(tool, store, "dog", threshold=0.1).phrases[0].detections) == 2
    assert _ground(tool, store, "dog", threshold=0.5).phrases[0].status == "absent"


def test_nms_works_within_a_phrase_and_over_synonyms(store: Store) -> None:
    near = [[0, 0, 0.5, 1], [0.02, 0, 0.5, 1], [0.6, 0, 1, 1]]
    table = {"sofa": [0.9, 0.8, 0.3], "couch": [0.7, 0.85, 0.1], "lamp": [0.1, 0.1, 0.6]}
    result = _ground(_tool(Told(table, near), everything=("lamp",)), store, "sofa", "couch", everything=True)
    assert [len(one.detections) for one in result.phrases] == [2, 1]
    assert result.phrases[1].detections[0].box.x1 == pytest.approx(1.6)
    assert [one.name for one in result.everything] == ["sofa", "lamp"], "each thing once, with its best name"


def test_everything_is_what_the_request_names_else_the_list_of_the_tool(store: Store) -> None:
    table = {"sofa": [0.9, 0.1], "lamp": [0.1, 0.8]}
    for names, seen in (((), ["lamp"]), (("sofa",), ["sofa"]), (("lamp", "sofa"), ["sofa", "lamp"])):
        tool = _tool(Told(table, TWO), everything=("lamp",))
        found = _ground(tool, store, everything=True, names=names)
        assert [one.name for one in found.everything] == seen
        assert _ground(tool, store, "sofa", names=names).everything == (), "names alone ask for nothing"


def test_long_lists_are_split_and_merged_on_one_encoding(store: Store) -> None:
    names = [f"thing{index}" for index in range(30)]
    network = Told({name: [0.3 + index / 100, 0.0] for index, name in enumerate(names)}, TWO, limit=16)
    tool = _tool(network)
    result = _ground(tool, store, *names)
    assert tool.encodings == 1 and tool.passes == len(network.prompts) == 5
    assert max(len(ids) for ids in network.prompts) <= 16
    scores = [one.detections[0].score.value for one in result.phrases]
    assert scores == pytest.approx([0.3 + index / 100 for index in range(30)])


def test_what_says_nothing_is_not_covered_and_nothing_is_run(store: Store) -> None:
    tool = _tool(Told({}, TWO))
    result = _ground(tool, store, "", "🦄", "?.")
    assert {one.status for one in result.phrases} == {"not_covered"} and tool.encodings == 0
    assert _ground(tool, store) == GroundResult()


def test_pictures_are_encoded_once_and_only_the_last_few_are_kept(store: Store) -> None:
    tool = _tool(Told({"dog": [0.9, 0.9]}, TWO))
    for seed in (0, 0, 1, 2, 3, 4, 0):
        _ground(tool, store, "dog", seed=seed)
    assert tool.encodings == 6 and len(tool._encoded) == 4


# Real classes


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pytest.importorskip("transformers", reason="needs deixis[learned]")
    top = tmp_path_factory.mktemp("models")
    return {"dino": tiny.saved(top / "dino"), "mm": tiny.saved(top / "mm", mm=True)}


PHRASES = ("a red ball", "dog", "old man with a hat", "zebra")


def test_requests_for_one_picture_are_rows_on_one_encoding(folders: dict[str, Path], store: Store) -> None:
    """Each gives what it gives alone: nobody's phrases enter another one's prompt."""
    tool = grounding_dino(str(folders["dino"]), device="cpu", box_threshold=0.0, text_threshold=0)
    network: Any = tool.network
    looks: list[int] = []
    look = network.look
    network.look = lambda encoded, prompts: looks.append(len(prompts)) or look(encoded, prompts)
    network._rows = 8  # as on a GPU: prompts of different lengths in one batch
    one, other = (store.add_image(picture(60, 80, seed)) for seed in (0, 1))
    gone = one.model_copy(update={"digest": DIGEST})
    requests = [
        GroundRequest(image=one, phrases=PHRASES[:2], iou=1.0),
        GroundRequest(image=gone, phrases=PHRASES),
        GroundRequest(image=other, phrases=PHRASES[1:], everything=True, top=5),
        GroundRequest(image=one, phrases=PHRASES[2:], threshold=0.3),
        GroundRequest(image=one, phrases=("🦄",)),
    ]
    together = tool.run_many(requests, store)
    assert looks == [2, 1] and tool.encodings == 2
    assert isinstance(together[1], InputFault)
    for row in (0, 2, 3, 4):
        alone, found = tool.run(requests[row], store), together[row]
        assert not isinstance(found, Exception)
        _same(found, alone)


def _same(found: GroundResult, alone: GroundResult) -> None:
    for ours, theirs in zip(found.phrases, alone.phrases, strict=True):
        assert (ours.phrase, ours.status, ours.note) == (theirs.phrase, theirs.status, theirs.note)
        assert len(ours.detections) == len(theirs.detections)
        for one, other in zip(ours.detections, theirs.detections, strict=True):
            assert one.score.value == pytest.approx(other.score.value, abs=1e-5)
            assert one.box.xyxy_px == pytest.approx(other.box.xyxy_px, abs=1e-2)
    assert [one.name for one in found.everything] == [one.name for one in alone.everything]


@pytest.mark.parametrize("kind", ["dino", "mm"])
def test_a_phrase_alone_has_the_boxes_that_the_library_gives(
    folders: dict[str, Path], store: Store, kind: str
) -> None:
    """Against the library's own processor and forward pass, phrase by phrase."""
    import torch
    from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer
    from transformers.models.grounding_dino.processing_grounding_dino import GroundingDinoProcessor

    tool = grounding_dino(
        str(folders[kind]), device="cpu", together=False, box_threshold=0.0, text_threshold=0
    )
    result = _ground(tool, store, *PHRASES, iou=1.0, top=30)
    assert tool.encodings == 1
    model = AutoModelForZeroShotObjectDetection.from_pretrained(folders[kind]).eval()
    processor = GroundingDinoProcessor(tiny.processor(), AutoTokenizer.from_pretrained(folders[kind]))
    for entry in result.phrases:
        inputs = processor(images=picture(60, 80), text=[[entry.phrase]], return_tensors="pt")
        with torch.no_grad():
            out = model(**inputs)
        span = slice(1, inputs["input_ids"].shape[1] - 2)
        theirs = out.logits[0, :, span].sigmoid().amax(1).sort(descending=True).values.numpy()
        ours = [one.score.value for one in entry.detections]
        assert len(ours) > 10 and np.ptp(theirs) > 1e-4
        found = processor.post_process_grounded_object_detection(
            out, threshold=-1.0, text_threshold=0.0, target_sizes=[(60, 80)]
        )[0]["boxes"].numpy()
        for one in entry.detections:
            gap = np.abs(np.clip(found, 0, [80, 60, 80, 60]) - np.array(one.box.xyxy_px)).max(axis=1)
            assert gap.min() < 1e-3
            assert np.abs(theirs - one.score.value).min() < 1e-5


def test_a_prompt_of_all_phrases_is_the_librarys_prompt(folders: dict[str, Path]) -> None:
    from transformers import AutoTokenizer
    from transformers.models.grounding_dino.processing_grounding_dino import GroundingDinoProcessor

    from deixis.tools.detection.grounding_dino.prompts import asked, passes

    network = grounding_dino(str(folders["dino"]), device="cpu").network
    texts = [*PHRASES, "young person's hat", "two dogs, a cat"]
    ours = passes(
        [asked(one, network.tokens, network.vocabulary, 253) for one in texts], network.vocabulary, 256
    )
    processor = GroundingDinoProcessor(tiny.processor(), AutoTokenizer.from_pretrained(folders["dino"]))
    theirs = processor(images=picture(60, 80), text=[list(texts)], return_tensors="pt")["input_ids"]
    assert list(ours[0].ids) == theirs[0].tolist()


def test_bf16_says_about_the_same(folders: dict[str, Path], store: Store) -> None:
    import torch

    full = grounding_dino(str(folders["dino"]), device="cpu")
    half = grounding_dino(str(folders["dino"]), device="cpu", dtype="bf16")
    one = _ground(full, store, "dog", threshold=0.0, iou=1.0).phrases[0].detections
    other = _ground(half, store, "dog", threshold=0.0, iou=1.0).phrases[0].detections
    assert half.network._model.dtype == torch.bfloat16  # type: ignore[attr-defined]
    assert one[0].score.value == pytest.approx(other[0].score.value, abs=0.05)


def test_nothing_is_loaded_before_the_first_request(folders: dict[str, Path]) -> None:
    tool = grounding_dino(str(folders["dino"]), device="cpu")
    assert tool._network is None and tool.weights_digest.startswith("sha256:")


def test_weights_that_are_not_here_are_missed_with_the_cure(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="models pull full"):
        grounding_dino("tiny")
    with pytest.raises(InputFault) as absent:
        grounding_dino("IDEA-Research/grounding-dino-nowhere")
    assert absent.value.code == "weights.model.absent" and "hf download" in absent.value.cure
    with pytest.raises(InputFault) as device:
        _ = grounding_dino(str(folders["dino"]), device="cuda:77").network
    assert device.value.code == "tool.device.unknown"
    with pytest.raises(InputFault) as kind:
        _ = grounding_dino(str(folders["dino"]), device="cpu", dtype="fp8").network
    assert kind.value.code == "tool.dtype.unknown"
    from transformers import BertConfig, BertModel

    BertModel(BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1)).save_pretrained(tmp_path)
    with pytest.raises(InputFault) as other:
        _ = grounding_dino(str(tmp_path), device="cpu").network
    assert other.value.code == "weights.model.kind"
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    (tmp_path / "config.json").write_text((folders["dino"] / "config.json").read_text("utf-8"), "utf-8")
    with pytest.raises((InputFault, ToolFault)):
        _ = grounding_dino(str(tmp_path), device="cpu").network


def test_the_authors_package_gives_the_same_where_it_is_installed(tmp_path: Path) -> None:
    try:
        import groundingdino  # noqa: F401
    except ImportError:
        with pytest.raises(InputFault) as missing:
            authors(str(tmp_path / "nothing.pth"))
        assert missing.value.code == "install.package.missing"
        pytest.skip("SKIPPED: groundingdino-py is not installed, so its network is not run here")
    with pytest.raises(InputFault) as absent:
        authors(str(tmp_path / "nothing.pth"))
    assert absent.value.code == "weights.model.absent"
