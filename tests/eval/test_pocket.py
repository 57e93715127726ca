"""The measures of the illustrated world: perfect tools pass, tools with one fault lose just that."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.answer import Score
from deixis.eval.pocket.masks import inmost, masks
from deixis.eval.pocket.pairs import Likeness, auroc, cosines_of, pairs
from deixis.eval.pocket.parts import PARTS
from deixis.eval.pocket.photos import bears_out, photos
from deixis.eval.pocket.sounds import Count, f1, names, sounds
from deixis.eval.pocket.styles import STYLES, clustered, mean, scenes_of
from deixis.geometry import Box, Mask, TimeSpan
from deixis.learned.pocket.outline.samples import askable
from deixis.learned.world.pairs import PairSpec, pair
from deixis.learned.world.scenes import TEST_SEEDS, TRAIN_FAMILIES, UNSEEN_FAMILY
from deixis.learned.world.sounds import KINDS, SOUNDING, clip
from deixis.tools.detection import Detection, GroundResult
from deixis.tools.embedding import EmbedResult
from deixis.tools.hearing import HearResult, SoundEvent
from deixis.tools.segmentation import ScoredMask, SegmentResult
from deixis.tools.tagging import Tag, TagResult
from deixis.tools.toolbox import Toolbox

SURE, PAIRS = 0.9, 20
made_clip, drawn_pair = cache(clip), cache(pair)


class Told:
    """A tool that says what it was told to, request by request."""

    name, version, weights_digest = "told", "1", None

    def __init__(self, answer) -> None:
        self._answer = answer

    async def __call__(self, request, media):
        return self._answer(request)


def by_name(measures) -> dict[str, object]:
    return {one.name: one for one in measures}


def quiet(_done: int, _all: int) -> None:
    pass


def test_styles_are_test_seeds_of_seen_and_of_unseen_drawings():
    for style, families in (("in style", set(TRAIN_FAMILIES)), ("unseen style", {UNSEEN_FAMILY})):
        made = list(scenes_of(style, 8))
        assert [one.seed for one in made] == list(TEST_SEEDS[:8])
        assert {family for one in made for family, _ in one.icons} <= families
    assert UNSEEN_FAMILY not in TRAIN_FAMILIES
    assert set(STYLES) == {"in style", "unseen style"}
    assert [part.__name__ for part in PARTS] == ["masks", "sounds", "pairs", "photos", "asks"]


def test_intervals_are_over_groups_and_n_counts_items():
    measure = clustered("x", [[1.0, 1.0, 1.0], [0.0], []], mean, bar=0.7)
    assert (measure.n, measure.value, measure.passed) == (4, 0.75, True)
    assert (measure.low, measure.high) == (0.0, 1.0)
    nothing = clustered("x", [[], []], mean)
    assert (nothing.n, nothing.low, nothing.high) == (0, 0.0, 1.0)


def segmenter(shrunk: int = 0):
    """Gives the true masks of the test scenes in their order, those of boxes worn off by some pixels."""
    scenes = iter([one for style in STYLES for one in scenes_of(style, 6) if len(askable(one))])

    def answer(request):
        one = next(scenes)
        things = [one.mask(int(thing)) for thing in askable(one)]
        assert len(things) == len(request.boxes) == len(request.points)
        found = [mask & np.roll(mask, shrunk, axis=1) for mask in things] + things
        score = Score(value=SURE, kind="mask")
        return SegmentResult(
            masks=tuple(ScoredMask(mask=Mask.from_array(one), score=score, method="told") for one in found)
        )

    return Toolbox({"segmentation": Told(answer)})


def test_true_masks_have_an_iou_of_one_and_worn_ones_less():
    whole = by_name(masks(segmenter(), Path(), quiet, 6))
    assert all(one.value == 1 for one in whole.values())
    worn = by_name(masks(segmenter(3), Path(), quiet, 6))
    assert whole["mask mean IoU by true box, in style"].bar == 0.88
    assert whole["mask mean IoU by true box, unseen style"].bar == 0.75
    for style in STYLES:
        assert 0.5 < worn[f"mask mean IoU by true box, {style}"].value < 0.97
        assert worn[f"mask mean IoU by point, {style}"].value == 1
        assert worn[f"mask mean IoU by true box, {style}"].n == sum(
            len(askable(s)) for s in scenes_of(style, 6)
        )


def test_a_person_points_at_the_inmost_pixel():
    mask = np.zeros((30, 40), bool)
    mask[2:29, 3:8] = True
    mask[10:21, 3:30] = True
    at = inmost(mask)
    assert 14 <= at.y <= 17
    assert 8 <= at.x <= 25
    one = np.zeros((5, 5), bool)
    one[4, 0] = True
    assert (inmost(one).x, inmost(one).y) == (0.5, 4.5)


def listener(late_s: float = 0.0, more: bool = False, wrong: bool = False):
    """Hears the true events of the test clips in their order, perhaps late, perhaps others as well."""
    clips = iter(TEST_SEEDS)

    def answer(request):
        made = made_clip(next(clips))
        events = []
        for event in made.events:
            kind = SOUNDING[(event.kind + wrong) % len(SOUNDING)]
            spans = [TimeSpan(start_s=event.start_s + late_s, end_s=event.end_s + late_s)]
            if more:
                spans.append(TimeSpan(start_s=0, end_s=0.01))
            events += [
                SoundEvent(label=kind.label, class_id=kind.class_id, span=span,
                           score=Score(value=SURE, kind="hearing"), parents=kind.parents)
                for span in spans
            ]  # fmt: skip
        return HearResult(events=tuple(events))

    return Toolbox({"hearing": Told(answer)})


def test_true_events_have_an_f1_of_one_and_each_fault_lowers_it(tmp_path, monkeypatch):
    monkeypatch.setattr("deixis.eval.pocket.sounds.clip", made_clip)

    def measured(**faults):
        found = by_name(sounds(listener(**faults), tmp_path, quiet, 25))
        assert found["events F1 at 0.2 s"].bar == 0.85
        return [found[name].value for name in ("events F1 at 0.2 s", "events recall", "events precision")]

    assert measured() == measured(late_s=0.15) == [1, 1, 1]
    assert measured(late_s=0.25) == [0, 0, 0]
    assert measured(wrong=True) == [0, 0, 0]
    assert measured(more=True) == pytest.approx([2 / 3, 1, 0.5])


def test_f1_counts_events_not_clips():
    assert f1([Count(1, 1, 1), Count(0, 1, 3)]) == pytest.approx(2 / 6)
    assert f1([]) == f1([Count(0, 0, 0)]) == 0


def test_real_recordings_of_the_test_half_are_judged_by_kind(tmp_path):
    import soundfile

    from deixis.learned.world.sounds.real import listed

    (tmp_path / "audio").mkdir()
    rows = [{"file": f"audio/{number}.wav", "label": "dog bark"} for number in range(12)]
    for row in rows:
        noise = np.random.default_rng(int(Path(row["file"]).stem)).normal(0, 0.1, 4000)
        soundfile.write(tmp_path / row["file"], noise, 16_000)
    (tmp_path / "audio" / "labels.json").write_text(json.dumps(rows))
    tests = [one for one in listed(tmp_path) if one.half == "test"]
    assert 0 < len(tests) < 12
    bark, meow = (SOUNDING[KINDS.index(name)] for name in ("bark", "meow"))

    def barks_after(clips: int, kind):
        asked = iter(range(1000))

        def answer(request):
            if next(asked) < clips:
                return HearResult()
            events = [(meow, 0.95), (kind, 0.4)]
            return HearResult(events=tuple(
                SoundEvent(label=one.label, class_id=one.class_id, span=TimeSpan(start_s=0, end_s=0.2),
                           score=Score(value=value, kind="hearing")) for one, value in events))  # fmt: skip

        return Toolbox({"hearing": Told(answer)})

    heard = by_name(sounds(barks_after(3, bark), tmp_path, quiet, 3))
    assert heard["real recordings, test half: their kind is heard"].value == 1
    assert heard["real recordings, test half: the surest event is their kind"].value == 0
    assert heard["real recordings, test half: their kind is heard"].n == len(tests)
    other = by_name(sounds(barks_after(3, meow), tmp_path, quiet, 3))
    assert other["real recordings, test half: their kind is heard"].value == 0
    dog = SoundEvent(label="dog", span=TimeSpan(start_s=0, end_s=1), score=Score(value=1, kind="hearing"))
    assert names(dog, bark)
    assert not names(dog, meow)


def embedder(blind: bool = False, deaf: bool = False):
    """Places a thing at its own number where it makes the sound of the pair, a sound at its own."""
    specs = [PairSpec(scene=spec) for spec in STYLES.values()]
    made = iter([drawn_pair(seed, spec) for spec in specs for seed in TEST_SEEDS[:PAIRS]])

    def unit(at: int) -> tuple[float, ...]:
        return tuple(float(index == at) for index in range(8))

    def answer(request):
        one = next(made)
        assert [region.box for region in request.images] == [Box.of(box.tolist()) for box in one.scene.boxes]
        assert len(request.audios) == len(one.clip.events)
        right = {thing: number for number, of in enumerate(one.sources) for thing in of}
        images = [unit(right.get(thing, 6)) for thing in range(len(request.images))]
        return EmbedResult(
            dimension=8,
            images=tuple(None if blind else image for image in images),
            audios=tuple(unit(7 if deaf else number) for number in range(len(request.audios))),
        )

    return Toolbox({"embedding": Told(answer)})


def test_sources_and_matches_are_told_from_the_cosines(monkeypatch):
    monkeypatch.setattr("deixis.eval.pocket.pairs.pair", drawn_pair)
    right = by_name(pairs(embedder(), Path(), quiet, PAIRS))
    for style, bars in (("in style", (0.93, 0.95)), ("unseen style", (0.75, 0.85))):
        source = right[f"right source among what shows, {style}"]
        refused = right[f"mismatched pairs refused (AUROC), {style}"]
        assert (source.bar, refused.bar) == bars
        assert source.value == refused.value == 1
        assert source.n > 5
    for fault in ("blind", "deaf"):
        wrong = by_name(pairs(embedder(**{fault: True}), Path(), quiet, PAIRS))
        assert wrong["mismatched pairs refused (AUROC), in style"].value == 0.5
        assert wrong["right source among what shows, in style"].value == 0


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ((0.9, 0.8), (0.1,), 1.0),
        ((0.1,), (0.9,), 0.0),
        ((0.5,), (0.5,), 0.5),
        ((0.2, 0.6), (0.4, 0.6), 0.375),
    ],
)
def test_auroc_is_how_often_a_match_is_nearer(right, wrong, expected):
    given = [Likeness(value, True, ()) for value in right] + [Likeness(value, False, ()) for value in wrong]
    assert auroc([*given, Likeness(0.7, None, ())]) == pytest.approx(expected)
    assert auroc(given[: len(right)]) == 0.5


def test_what_has_no_vector_is_far_from_everything():
    found = cosines_of([(1.0, 0.0), None], [(0.6, 0.8), None])
    assert found.tolist() == [[0.6, -1.0], [-1.0, -1.0]]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images" / "coco_val").mkdir(parents=True)
    rows = []
    for number, boxes in enumerate(([["dog", 10, 10, 50, 50]], [["bird", 0, 0, 40, 40]], [])):
        file = f"images/coco_val/{number}.png"
        Image.new("RGB", (100, 80), (number, 0, 0)).save(tmp_path / file)
        rows.append({"file": file, "width": 100, "height": 80, "boxes": boxes})
    (tmp_path / "images" / "coco_val" / "labels.json").write_text(json.dumps({"images": rows}))
    return tmp_path


def claimer(boxes, tags):
    """Claims the same on every photo."""

    def found(request):
        assert request.everything and request.threshold is None
        return GroundResult(everything=tuple(
            Detection(box=Box.of(box), name=name, score=Score(value=SURE, kind="detector"))
            for name, box in boxes))  # fmt: skip

    def said(request):
        return TagResult(tags=tuple(Tag(label=tag, score=Score(value=SURE, kind="tagger")) for tag in tags))

    return Toolbox({"detection": Told(found), "tagging": Told(said)})


def test_wrong_claims_are_counted_once_a_photo(folder):
    dog, off = ("puppy", (12, 12, 50, 50)), ("dog", (60, 40, 90, 70))
    for boxes, tags, expected in (
        ([], [], (0, 0, 0)),
        ([dog], [], (2, 2, 0)),
        ([dog, off], [], (5, 5, 0)),
        ([off], ["dog"], (3, 3, 2)),
        ([], ["dog", "owl"], (4, 0, 4)),
        ([off], ["rainbow"], (6, 3, 3)),
    ):
        found = by_name(photos(claimer(boxes, tags), folder, quiet))
        names_of = ("wrong claims", "wrong boxes", "wrong tags")
        values = [found[f"photos: {name} a picture"].value for name in names_of]
        assert values == pytest.approx([count / 3 for count in expected]), (boxes, tags)
    claims = found["photos: wrong claims a picture"]
    assert (claims.bar, claims.better, claims.passed, claims.n) == (0.3, "lower", False, 3)


def test_a_folder_without_photos_has_no_such_measure(tmp_path):
    assert photos(claimer([], []), tmp_path, quiet) == []


@pytest.mark.parametrize(
    ("label", "claim", "right"),
    [
        ("dog", "puppy", True), ("bird", "owl", True), ("dog", "animal", True), ("dog", "cat", False),
        ("dog", "dog", True), ("person", "dog", False), ("car", "automobile", True), ("car", "bus", False),
        ("bus", "vehicle", True), ("horse", "cow", False),
    ],
)  # fmt: skip
def test_a_label_bears_out_its_own_wider_and_narrower_words(label, claim, right):
    assert bears_out(label, claim) is right


def test_asks_are_timed_one_by_one():
    from deixis.agent.profile import load_profile
    from deixis.eval.pocket.asks import asks

    toolbox = load_profile("pocket").toolbox()
    told: list[tuple[int, int]] = []
    found = asks(toolbox, Path(), lambda done, every: told.append((done, every)), count=3)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [one.n for one in found] == [3, 3, 3]
    assert 0 < found[0].value <= found[2].value
    assert found[0].bar == 0.4
