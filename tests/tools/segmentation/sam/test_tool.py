"""The tool on tiny random networks of SAM, SAM-HQ and SAM 2."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deixis.errors import InputFault, WeightsMissing
from deixis.geometry import Box, Size
from deixis.store import Store
from deixis.tools.segmentation import Point, SegmentRequest, SegmentResult
from deixis.tools.segmentation.sam import SamSegmenter, authors, sam
from deixis.tools.segmentation.window import filled
from tests.conformance.segmentation import check_segmenter
from tests.parity.weights import picture
from tests.tools.segmentation.sam import tiny

torch = pytest.importorskip("torch", reason="needs deixis[learned]")
pytest.importorskip("transformers", reason="needs deixis[learned]")

BOXES = (Box(x1=5, y1=6, x2=40, y2=50), Box(x1=30, y1=2, x2=79, y2=33), Box(x1=10, y1=20, x2=60, y2=58))
POINTS = (Point(x=20, y=30), Point(x=70, y=10))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {kind: tmp_path_factory.mktemp(kind) for kind in tiny.KINDS}
    for kind, folder in made.items():
        tiny.KINDS[kind]().save_pretrained(folder)
    return made


def _segment(tool: SamSegmenter, store: Store, seed: int = 0, **options: Any) -> SegmentResult:
    image = store.add_image(picture(60, 80, seed))
    return asyncio.run(tool(SegmentRequest(image=image, **options), store))


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_ten_prompts_in_one_batch_are_ten_prompts_one_by_one(
    folders: dict[str, Path], store: Store, kind: str
) -> None:
    tool = sam(str(folders[kind]), device="cpu")
    assert tool._network is None and tool.weights_digest.startswith("sha256:")
    together = _segment(tool, store, boxes=BOXES, points=POINTS).masks
    assert len(together) == 5 and {one.method for one in together} == {kind}
    alone = [_segment(tool, store, boxes=(box,)).masks[0] for box in BOXES]
    alone += [_segment(tool, store, points=(point,)).masks[0] for point in POINTS]
    for one, other in zip(together, alone, strict=True):
        assert one.mask.iou(other.mask) > 0.999 or one.mask == other.mask
        assert one.score.value == pytest.approx(other.score.value, abs=1e-5)
    assert len({one.mask.counts for one in together}) > 1, "different prompts, different masks"
    assert tool.encodings == 1


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_requests_for_one_picture_share_the_decoder_and_give_what_each_gives(
    folders: dict[str, Path], store: Store, kind: str
) -> None:
    tool = sam(str(folders[kind]), device="cpu")
    passes: list[int] = []
    masks = tool.network.masks

    def counted(encoded: Any, prompts: Any, several: bool) -> Any:
        passes.append(len(prompts))
        return masks(encoded, prompts, several)

    tool.network.masks = counted  # type: ignore[method-assign]
    one, other = (store.add_image(picture(60, 80, seed)) for seed in (0, 1))
    gone = one.model_copy(update={"digest": "sha256:" + "0" * 64})
    outside = Box(x1=-20, y1=-20, x2=-5, y2=-5)
    requests = [
        SegmentRequest(image=one, boxes=(BOXES[0], outside), fill_holes_px=0),
        SegmentRequest(image=gone, boxes=BOXES),
        SegmentRequest(image=other, boxes=BOXES[:2]),
        SegmentRequest(image=one, boxes=BOXES[1:], points=POINTS, drop_islands_px=9),
        SegmentRequest(image=one, boxes=(outside,)),
    ]
    together = tool.run_many(requests, store)
    assert passes == [3, 2, 2] and tool.encodings == 2
    assert isinstance(together[1], InputFault), "a picture that is not here spoils no other one"
    for row in (0, 2, 3, 4):
        alone, found = tool.run(requests[row], store), together[row]
        assert not isinstance(found, Exception) and len(found.masks) == len(alone.masks)
        for ours, theirs in zip(found.masks, alone.masks, strict=True):
            assert ours.mask.iou(theirs.mask) > 0.999 or ours.mask == theirs.mask
            assert (ours.method, ours.score.kind) == (theirs.method, theirs.score.kind)
            assert ours.score.value == pytest.approx(theirs.score.value, abs=1e-5)


@pytest.mark.parametrize("kind", ["sam", "sam-hq"])
def test_masks_are_those_of_the_librarys_processor_and_forward_pass(
    folders: dict[str, Path], store: Store, kind: str
) -> None:
    from transformers import SamHQModel, SamModel, SamProcessor
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    sizes = {"size": {"longest_edge": 64}, "pad_size": {"height": 64, "width": 64}}
    processor = SamProcessor(SamImageProcessorPil(**sizes))
    model = (SamModel if kind == "sam" else SamHQModel).from_pretrained(folders[kind]).eval()
    boxes = [[list(box.xyxy_px) for box in BOXES]]
    inputs = processor(picture(60, 80), input_boxes=boxes, return_tensors="pt")
    with torch.no_grad():
        out = model(
            pixel_values=inputs["pixel_values"],
            input_boxes=inputs["input_boxes"].float(),
            multimask_output=True,
        )
    theirs = processor.image_processor.post_process_masks(
        out.pred_masks,
        inputs["original_sizes"],
        inputs["reshaped_input_sizes"],
        pad_size={"height": 64, "width": 64},
    )[0]
    tool = sam(str(folders[kind]), device="cpu", several="always")
    ours = _segment(tool, store, boxes=BOXES, fill_holes_px=0).masks
    for row, one in enumerate(ours):
        best = int(out.iou_scores[0, row].argmax())
        inside = filled(BOXES[row], Size(width=80, height=60)).to_array()  # farther out, ours is cut
        assert np.mean((one.mask.to_array() != theirs[row, best].numpy())[inside]) < 1e-3
        assert one.mask.area > 0
        score = min(1.0, max(0.0, float(out.iou_scores[0, row, best])))
        assert one.score.value == pytest.approx(score, abs=1e-4), "the mask with the best score"


def test_it_keeps_the_promises_of_a_segmenter(folders: dict[str, Path], store: Store) -> None:
    image = store.add_image(picture(60, 80))
    check_segmenter(sam(str(folders["sam"]), device="cpu"), store, image)


def test_pictures_are_encoded_once_and_only_the_last_few_are_kept(
    folders: dict[str, Path], store: Store
) -> None:
    tool = sam(str(folders["sam"]), device="cpu")
    for seed in (0, 0, *range(1, 10), 0):
        _segment(tool, store, seed, boxes=BOXES[:1])
    assert tool.encodings == 11 and len(tool._encoded) == 8
    outside = Box(x1=-20, y1=-20, x2=-5, y2=-5)
    masks = _segment(tool, store, 99, boxes=(outside,)).masks
    assert masks[0].mask.area == 0 and tool.encodings == 11, "nothing to see, nothing encoded"


def test_bf16_runs(folders: dict[str, Path], store: Store) -> None:
    tool = sam(str(folders["sam"]), device="cpu", dtype="bf16")
    assert len(_segment(tool, store, boxes=BOXES).masks) == 3
    assert tool.network._model.dtype == torch.bfloat16  # type: ignore[attr-defined]


def test_what_is_missing_or_wrong_says_so(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsMissing, match="models pull full"):
        sam()
    with pytest.raises(InputFault) as absent:
        sam("facebook/sam-vit-nowhere")
    assert absent.value.code == "weights.model.absent"
    evil = tmp_path / "evil.pth"
    torch.save({"image_encoder.pos_embed": Path("/")}, evil)
    with pytest.raises(InputFault) as unsafe:
        _ = sam(str(evil), device="cpu").network
    assert unsafe.value.code == "weights.checkpoint.unreadable", "nothing but tensors is read"
    other = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    with pytest.raises(InputFault) as keys:
        _ = sam(str(other), device="cpu").network
    assert keys.value.code == "weights.checkpoint.keys"
    # A whole ViT-B need not be built to find that its checkpoint is only half there.
    monkeypatch.setattr("deixis.tools.segmentation.sam.loading.config_of", lambda _: tiny.sam_config())
    half = tmp_path / "half.pth"
    torch.save({"image_encoder.pos_embed": torch.zeros(1, 64, 64, 768)}, half)
    with pytest.raises(InputFault, match="missing"):
        _ = sam(str(half), device="cpu").network


def test_the_authors_package_is_asked_for_where_it_is_missing(tmp_path: Path) -> None:
    try:
        import segment_anything  # noqa: F401
    except ImportError:
        with pytest.raises(InputFault) as missing:
            authors(str(tmp_path / "nothing.pth"))
        assert missing.value.code == "install.package.missing"
        pytest.skip("SKIPPED: segment-anything is not installed, so its network is not run here")
    with pytest.raises(InputFault) as absent:
        authors(str(tmp_path / "nothing.pth"))
    assert absent.value.code == "weights.model.absent"
