"""The task `tag`: figures of hand-made tags, file names that tell the class, bad folders."""

from __future__ import annotations

import pytest

from deixis.answer import Score
from deixis.errors import InputFault
from deixis.eval.tag.data import read_subjects
from deixis.eval.tag.metric import hit, mean_precision, per_name, precision_at, reached, scene_measures
from deixis.eval.tag.task import tag, truth_of
from deixis.tools.tagging import Tag, TagRequest, TagResult
from deixis.tools.toolbox import Toolbox
from tests.eval.folders import ByFile, Steps, counts, named, put_json, put_photos, put_picture, values


def said(*names: str) -> list[frozenset[str]]:
    """Tags, best first; a bar separates the names of one tag."""
    return [frozenset(name.split("|")) for name in names]


def names(*words: str) -> frozenset[str]:
    return frozenset(words)


@pytest.mark.parametrize(
    ("tags", "truth", "top", "right"),
    [
        (said("tabby|cat", "dog"), {"cat"}, 1, True),
        (said("dog", "tabby|cat"), {"cat"}, 1, False),
        (said("dog", "tabby|cat"), {"cat"}, 2, True),
        (said(), {"cat"}, 5, False),
    ],
)
def test_a_hit_is_a_name_shared_among_the_first(tags, truth, top, right):
    assert hit(tags, truth, top) is right


def test_other_names_are_left_out_in_order():
    tags = said("tabby|cat", "lawn", "beagle|dog|pet")
    assert reached(tags, ("cat", "dog")) == said("cat", "dog")
    assert precision_at(said("cat", "dog", "car"), {"cat", "car"}, 2) == (1, 2)
    assert precision_at([], {"cat"}, 2) == (0, 0)


SCENES = [
    (said("cat", "dog"), names("cat", "car")),
    (said("cat"), names("cat")),
    (said("cat", "car"), names("dog")),
    (said(), names("bus")),
]


def test_scene_figures_are_those_worked_out_by_hand():
    assert per_name(SCENES) == {"cat": (2, 3, 2), "dog": (0, 1, 1), "car": (0, 1, 1), "bus": (0, 0, 1)}
    assert mean_precision(SCENES) == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert mean_precision([]) == 0.0
    found = named(scene_measures(SCENES, (1, 3)))
    assert (found["scene precision@1"].value, found["scene precision@1"].n) == (pytest.approx(2 / 3), 3)
    assert (found["scene precision@3"].value, found["scene precision@3"].n) == (pytest.approx(2 / 5), 5)
    assert (found["scene recall of names"].value, found["scene recall of names"].n) == (pytest.approx(0.4), 5)


def test_file_names_tell_the_class_and_other_files_are_passed_over(tmp_path):
    for name in ("n02123045_tabby.JPEG", "n02088364_English_setter.jpg", "goldfish.png", "notes.txt"):
        put_picture(tmp_path, f"images/imagenet/{name}") if "." in name and not name.endswith("txt") else None
    (tmp_path / "images/imagenet/notes.txt").write_text("no picture")
    (tmp_path / "images/imagenet/.hidden.png.part").write_text("")
    assert [one.name for one in read_subjects(tmp_path)] == ["goldfish", "english setter", "tabby"]


@pytest.mark.parametrize("made", [False, True])
def test_a_folder_without_pictures_is_refused(tmp_path, made):
    if made:
        (tmp_path / "images" / "imagenet").mkdir(parents=True)
    with pytest.raises(InputFault) as caught:
        tag().run(tmp_path, Toolbox({"tagging": "tagging/scripted"}), Steps())
    assert caught.value.code == "eval.data.missing" and caught.value.cure


def test_damaged_scenes_are_refused_though_missing_ones_are_not(tmp_path):
    put_picture(tmp_path, "images/imagenet/tabby.png")
    box = Toolbox({"tagging": ("tagging/scripted", {"table": {"tabby": 0.9}})})
    assert any("no scenes" in note for note in tag().run(tmp_path, box, Steps()).notes)
    put_json(tmp_path, "images/coco_val/labels.json", {"images": [{"file": "x"}]})
    with pytest.raises(InputFault) as caught:
        tag().run(tmp_path, box, Steps())
    assert caught.value.code == "eval.data.damaged"


def tags(*rows: tuple[str, float, tuple[str, ...], str]):
    """Answers with the tags over .3, or with all when asked for."""

    def answer(request: TagRequest) -> TagResult:
        least = 0.3 if request.threshold is None else request.threshold
        made = [
            Tag(label=label, score=Score(value=value, kind="tagger"), kinds=kinds, source=source)
            for label, value, kinds, source in rows
            if value >= least
        ]
        return TagResult(tags=tuple(made[: request.top]))

    return answer


def test_a_folder_with_a_known_score(tmp_path):
    for number, name in enumerate(("a_goldfish", "b_goldfish", "c_goldfish", "tabby")):
        folder = f"images/imagenet/n0000000{number}_{name[2:] if name[1] == '_' else name}.png"
        put_picture(tmp_path, folder, number + 100)
    put_photos(tmp_path, [["dog", 0, 0, 9, 9], ["cat", 0, 0, 9, 9]], [["car", 0, 0, 9, 9]])
    answers = [
        # The fine network's names count for the class, the joint order for the kind.
        tags(("pet", 0.9, (), "scenes"), ("goldfish", 0.8, ("fish",), "imagenet")),
        tags(("tabby", 0.8, ("cat",), "imagenet"), ("goldfish", 0.2, ("fish",), "imagenet")),
        tags(("tabby", 0.2, ("cat",), "imagenet")),
        tags(("tabby", 0.8, ("cat",), "imagenet")),
        tags(("beagle", 0.9, ("dog",), "scenes"), ("car", 0.5, (), "scenes"), ("lawn", 0.4, (), "scenes")),
        tags(("lawn", 0.9, (), "scenes")),
    ]
    steps = Steps()
    report = tag().run(tmp_path, Toolbox({"tagging": ByFile("tagging", answers)}), steps)
    steps.check()
    assert report.items == 6 and report.abstentions == 2
    found = values(report)
    assert found["class top-1"] == pytest.approx(2 / 4)
    assert found["class top-5"] == pytest.approx(3 / 4)
    assert found["kind, best confident tag"] == pytest.approx(1 / 4)
    assert found["kind, three best confident tags"] == pytest.approx(2 / 4)
    assert found["scene precision@1"] == 1.0 and counts(report)["scene precision@1"] == 1
    assert found["scene precision@3"] == pytest.approx(1 / 2)
    assert found["scene recall of names"] == pytest.approx(1 / 3)
    assert found["kind, always the commonest"] == pytest.approx(3 / 4)


def test_the_truth_of_a_fine_name_holds_its_kind():
    assert {"hammerhead", "fish"} >= truth_of("hammerhead") >= {"hammerhead"}
    assert truth_of("no such class") == {"no such class"}


@pytest.mark.shared
def test_the_kind_is_looked_up_by_the_row_of_the_class():
    assert "cat" in truth_of("tabby") and "dog" in truth_of("beagle")
